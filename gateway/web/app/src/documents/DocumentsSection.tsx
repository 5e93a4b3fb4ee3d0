import { ActionIcon, Button, Progress } from '@mantine/core';
import { IconUpload, IconX } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type DragEvent, useRef, useState } from 'react';
import { useMay } from '@/session/me';
import list from '@/ui/List.module.css';
import { Section } from '@/ui/Page';
import { Loaded, Rows } from '@/ui/states';
import { documentsQuery } from './api';
import { DocumentRow } from './DocumentRow';
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
                  <DocumentRow key={document.id} document={document} known={jobId ? 'job' : 'client'} />
                ))}
              </ul>
            )
          }
        </Loaded>
      </Section>
    </div>
  );
}
