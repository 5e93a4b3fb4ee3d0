import { Button, Select, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconBuildings, IconPlus, IconSearch } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useEffect, useState } from 'react';
import { useMay } from '@/session/me';
import { type Column, DataGrid } from '@/ui/DataGrid';
import { Page } from '@/ui/Page';
import { Person } from '@/ui/Person';
import { Status } from '@/ui/Status';
import { Empty, Loaded, Rows } from '@/ui/states';
import { TwoLines } from '@/ui/TwoLines';
import { type Client, type ClientStatus, clientsQuery } from './api';
import { ClientDialog } from './ClientDialog';

export type ClientSearch = { q?: string; status?: ClientStatus };

const columns: Column<Client>[] = [
  {
    key: 'name',
    header: 'Client',
    width: 'minmax(220px, 2fr)',
    cell: ({ id, name }) => (
      <Link
        to="/clients/$clientId"
        params={{ clientId: id }}
        className="truncate"
        tabIndex={-1}
        style={{ textDecoration: 'none', fontWeight: 600 }}
      >
        {name}
      </Link>
    ),
  },
  { key: 'number', header: 'Number', width: '112px', cell: ({ number }) => number },
  { key: 'status', header: 'Status', width: '112px', cell: ({ status }) => <Status value={status} /> },
  {
    key: 'contact',
    header: 'Contact',
    width: 'minmax(140px, 1fr)',
    cell: ({ contacts }) => <span className="truncate">{contacts[0]?.name ?? ''}</span>,
  },
  {
    key: 'partner',
    header: 'Partner',
    width: 'minmax(130px, 1fr)',
    cell: ({ partner }) => <Person name={partner?.name} />,
  },
  {
    key: 'manager',
    header: 'Manager',
    width: 'minmax(130px, 1fr)',
    cell: ({ manager }) => <Person name={manager?.name} />,
  },
  {
    key: 'tags',
    header: 'Tags',
    width: 'minmax(100px, 1fr)',
    cell: ({ tags }) => <span className="truncate quiet">{tags.join(', ')}</span>,
  },
];

/** Everyone the firm works for, found as one types. */
export function Clients() {
  const search = useSearch({ from: '/framed/clients' });
  const navigate = useNavigate({ from: '/clients' });
  const may = useMay();
  const [typed, setTyped] = useState(search.q ?? '');
  const [q] = useDebouncedValue(typed.trim(), 150);
  const [creating, setCreating] = useState(false);

  useEffect(() => {
    navigate({ search: (before) => ({ ...before, q: q || undefined }), replace: true });
  }, [q, navigate]);

  const query = useInfiniteQuery({
    ...clientsQuery({ q: q || undefined, status: search.status }),
    placeholderData: (before) => before,
  });
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);

  const create = may('clients:clients:write') && (
    <Button leftSection={<IconPlus size={16} />} onClick={() => setCreating(true)}>
      New client
    </Button>
  );
  return (
    <Page
      title="Clients"
      fill
      actions={create}
      bar={
        <>
          <TextInput
            size="xs"
            maw={280}
            flex="1 1 200px"
            type="search"
            aria-label="Find a client"
            placeholder="Name, number, tag or e-mail"
            leftSection={<IconSearch size={14} />}
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
          />
          <Select
            size="xs"
            maw={160}
            aria-label="Status"
            placeholder="Any status"
            clearable
            value={search.status ?? null}
            onChange={(status) =>
              navigate({
                search: (before) => ({ ...before, status: (status as ClientStatus) ?? undefined }),
                replace: true,
              })
            }
            data={[
              { value: 'active', label: 'Active' },
              { value: 'prospect', label: 'Prospects' },
              { value: 'former', label: 'Former' },
            ]}
          />
        </>
      }
    >
      <Loaded query={query} what="Clients" skeleton={<Rows count={12} />}>
        {({ pages }) => {
          const rows = pages.flatMap((page) => page.items);
          if (rows.length === 0) return <Nobody searched={Boolean(q || search.status)} action={create} />;
          return (
            <DataGrid
              label="Clients"
              columns={columns}
              rows={rows}
              rowKey={({ id }) => id}
              href={({ id }) => `/clients/${id}`}
              onEnd={more}
              total={hasNextPage ? -1 : rows.length}
              card={({ name, number, status, contacts, manager }) => (
                <TwoLines
                  title={name}
                  state={status === 'active' ? undefined : <Status value={status} />}
                  note={[number, contacts[0]?.name].filter(Boolean).join(' · ')}
                  end={<Person name={manager?.name} compact />}
                />
              )}
            />
          );
        }}
      </Loaded>
      <ClientDialog opened={creating} onClose={() => setCreating(false)} />
    </Page>
  );
}

function Nobody({ searched, action }: { searched: boolean; action: React.ReactNode }) {
  if (searched) {
    return (
      <Empty icon={IconSearch} title="No client is like that">
        Try fewer letters, or part of a number or e-mail address. Private clients are shown only to those
        named on them.
      </Empty>
    );
  }
  return (
    <Empty icon={IconBuildings} title="No clients yet" action={action}>
      Add the first one; its contacts, engagements and jobs follow from there.
    </Empty>
  );
}
