import { Button, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconFiles, IconSearch } from '@tabler/icons-react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import list from '@/ui/List.module.css';
import { Page } from '@/ui/Page';
import { Empty, Loaded, Rows } from '@/ui/states';
import { type Document, foundDocumentsQuery, newestDocumentsQuery } from './api';
import { DocumentRow } from './DocumentRow';

/** The firm's files: the newest ones, or those whose name is like what one types. */
export function Documents() {
  const search = useSearch({ from: '/framed/documents' });
  const navigate = useNavigate({ from: '/documents' });
  const [typed, setTyped] = useState(search.q ?? '');
  const [q] = useDebouncedValue(typed.trim(), 150);
  const searching = q.length >= 2;

  useEffect(() => {
    navigate({ search: { q: q || undefined }, replace: true });
  }, [q, navigate]);

  return (
    <Page
      title="Documents"
      bar={
        <TextInput
          size="xs"
          maw={320}
          flex="1 1 200px"
          type="search"
          aria-label="Find a document"
          placeholder="Part of its name"
          leftSection={<IconSearch size={14} />}
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
        />
      }
    >
      {searching ? <Found q={q} /> : <Newest />}
    </Page>
  );
}

function Found({ q }: { q: string }) {
  const query = useQuery({ ...foundDocumentsQuery(q), placeholderData: (before) => before });
  return (
    <Loaded query={query} what="Documents" skeleton={<Rows count={8} />}>
      {({ items }) =>
        items.length === 0 ? (
          <Empty icon={IconSearch} title="No document is called like that">
            Try fewer letters. Files of private clients are shown only to those named on them.
          </Empty>
        ) : (
          <Files documents={items} />
        )
      }
    </Loaded>
  );
}

function Newest() {
  const query = useInfiniteQuery(newestDocumentsQuery());
  return (
    <Loaded query={query} what="Documents" skeleton={<Rows count={8} />}>
      {({ pages }) => {
        const documents = pages.flatMap((page) => page.items);
        if (documents.length === 0) {
          return (
            <Empty icon={IconFiles} title="No documents yet">
              Files are added at a job or a client, and by clients in the portal. Invoices come here by
              themselves.
            </Empty>
          );
        }
        return (
          <div>
            <Files documents={documents} />
            {query.hasNextPage && (
              <Button
                mt="md"
                variant="default"
                onClick={() => query.fetchNextPage()}
                loading={query.isFetchingNextPage}
              >
                Earlier documents
              </Button>
            )}
          </div>
        );
      }}
    </Loaded>
  );
}

const Files = ({ documents }: { documents: Document[] }) => (
  <ul className={list.list}>
    {documents.map((document) => (
      <DocumentRow key={document.id} document={document} />
    ))}
  </ul>
);
