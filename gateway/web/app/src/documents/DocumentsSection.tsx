import { ActionIcon, Anchor, Button, Menu, Progress } from '@mantine/core';
import { IconDots, IconEye, IconEyeOff, IconFile, IconTrash, IconUpload, IconX } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type DragEvent, useRef, useState } from 'react';
import { shortInstant } from '@/lib/dates';
import { size } from '@/lib/sizes';
import { useMay } from '@/session/me';
import { ask } from '@/ui/ask';
import list from '@/ui/List.module.css';
import { failed } from '@/ui/notices';
import { Section } from '@/ui/Page';
import { Status } from '@/ui/Status';
import { Loaded, Rows } from '@/ui/states';
import { changeDocument, type Document, deleteDocument, documentsQuery, download } from './api';
import css from './Documents.module.css';
import { useUploads } from './useUploads';

/** The files of a client or job: fetch them, add more by button or by dropping. */
export function DocumentsSection({ clientId, jobId }: { clientId: string; jobId?: string }) {
  const query = useQuery(documentsQuery(jobId ? { job_id: jobId } : { client_id: clientId }));
  const may = useMay()('documents:documents:write');
  const uploads = useUploads({ client_id: clientId, job_id: jobId });
  const input = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);

  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    if (may) uploads.add([...event.dataTransfer.files]);
  };
  const dragOver = (event: DragEvent) => {
    if (!may || !event.dataTransfer.types.includes('Files')) return;
    event.preventDefault();
    setOver(true);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is an extra; the button does the same
    <div
      className={css.place}
      data-over={over || undefined}
      onDragOver={dragOver}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      <Section
        title="Documents"
        count={query.data?.items.length || undefined}
        actions={
          may && (
            <>
              <Button
                size="xs"
                variant="default"
                leftSection={<IconUpload size={14} />}
                onClick={() => input.current?.click()}
              >
                Add files
              </Button>
              <input
                ref={input}
                type="file"
                multiple
                hidden
                onChange={(event) => {
                  uploads.add([...(event.currentTarget.files ?? [])]);
                  event.currentTarget.value = '';
                }}
              />
            </>
          )
        }
      >
        {uploads.running.map(({ id, name, share, cancel }) => (
          <div key={id} className={css.upload}>
            <span className="truncate">{name}</span>
            <Progress value={share * 100} aria-label={`Sending ${name}`} transitionDuration={100} />
            <ActionIcon size={28} aria-label={`Stop sending ${name}`} onClick={cancel}>
              <IconX size={16} />
            </ActionIcon>
          </div>
        ))}
        <Loaded query={query} what="Documents" skeleton={<Rows count={3} />}>
          {({ items }) =>
            items.length === 0 && uploads.running.length === 0 ? (
              <p className="quiet" style={{ margin: 0 }}>
                No files yet. {may && 'Drop some here, or add them with the button.'}
              </p>
            ) : (
              <ul className={list.list}>
                {items.map((document) => (
                  <DocumentRow key={document.id} document={document} inJob={Boolean(jobId)} />
                ))}
              </ul>
            )
          }
        </Loaded>
      </Section>
    </div>
  );
}

function DocumentRow({ document, inJob }: { document: Document; inJob: boolean }) {
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
            document.uploaded_by.name,
            shortInstant(document.created_at),
            document.current_version > 1 && `version ${document.current_version}`,
          ]
            .filter(Boolean)
            .join(' · ')}
          {!inJob && document.job_id && (
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
  const onSettled = () => queries.invalidateQueries({ queryKey: ['documents'] });
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
