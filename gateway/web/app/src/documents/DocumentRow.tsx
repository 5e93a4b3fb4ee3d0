import { ActionIcon, Anchor, Menu } from '@mantine/core';
import { IconDots, IconEye, IconEyeOff, IconFile, IconTrash } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { refresh } from '@/api/refresh';
import { shortInstant } from '@/lib/dates';
import { size } from '@/lib/sizes';
import { useMay } from '@/session/me';
import { ask } from '@/ui/ask';
import list from '@/ui/List.module.css';
import { Status } from '@/ui/Status';
import { failed } from '@/ui/toasts';
import { changeDocument, type Document, deleteDocument, download } from './api';
import css from './Documents.module.css';

/** A file: what it is, who brought it, who sees it. Its client and job are named unless they go without saying. */
export function DocumentRow({ document, known }: { document: Document; known?: 'job' | 'client' }) {
  return (
    <li className={list.item}>
      <IconFile size={18} stroke={1.5} aria-hidden className={css.icon} />
      <div className={list.main}>
        <div className={list.title}>
          {document.status === 'stored' ? (
            <Anchor
              component="button"
              type="button"
              c="inherit"
              ta="left"
              onClick={() => download(document.id).catch(failed)}
              style={{ overflowWrap: 'anywhere' }}
            >
              {document.name}
            </Anchor>
          ) : (
            document.name
          )}
          {document.status !== 'stored' && <Status value={document.status} />}
        </div>
        <div className={list.note}>
          {[
            document.size !== null && document.size !== undefined && size(document.size),
            document.uploaded_by.kind === 'service' ? 'made by Praxis' : document.uploaded_by.name,
            shortInstant(document.created_at),
            document.current_version > 1 && `version ${document.current_version}`,
          ]
            .filter(Boolean)
            .join(' · ')}
          {!known && (
            <>
              {' · '}
              <Link to="/clients/$clientId" params={{ clientId: document.client_id }}>
                {document.client_name}
              </Link>
            </>
          )}
          {known !== 'job' && document.job_id && (
            <>
              {' · '}
              <Link to="/work/jobs/$jobId" params={{ jobId: document.job_id }}>
                {document.job_title}
              </Link>
            </>
          )}
        </div>
      </div>
      <div className={list.end}>
        {document.visibility !== 'firm' && (
          <span className={css.shared} title="The client can see this in the portal">
            <IconEye size={14} aria-hidden /> Client sees it
          </span>
        )}
        <DocumentMenu document={document} />
      </div>
    </li>
  );
}

function DocumentMenu({ document }: { document: Document }) {
  const may = useMay();
  const queries = useQueryClient();
  const onSettled = () => refresh(queries, 'documents');
  const share = useMutation({
    mutationFn: () =>
      changeDocument(document, { visibility: document.visibility === 'firm' ? 'client_view' : 'firm' }),
    onSettled,
  });
  const remove = useMutation({ mutationFn: () => deleteDocument(document), onSettled });
  const removeAsked = async () => {
    const yes = await ask({
      title: `Delete “${document.name}”?`,
      text: 'It leaves every list at once. The stored file itself is kept until its retention ends.',
      act: 'Delete',
      danger: true,
    });
    if (yes !== null) remove.mutate();
  };
  if (!may('documents:documents:write') || document.status !== 'stored') return null;
  const shared = document.visibility !== 'firm';
  return (
    <Menu position="bottom-end" width={220}>
      <Menu.Target>
        <ActionIcon size={28} aria-label={`More for ${document.name}`}>
          <IconDots size={16} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item
          leftSection={shared ? <IconEyeOff size={16} /> : <IconEye size={16} />}
          onClick={() => share.mutate()}
        >
          {shared ? 'Hide from the client' : 'Let the client see it'}
        </Menu.Item>
        {may('documents:documents:act') && document.kind !== 'invoice' && (
          <Menu.Item leftSection={<IconTrash size={16} />} color="red" onClick={removeAsked}>
            Delete …
          </Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
