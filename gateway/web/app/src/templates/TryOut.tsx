import { Stack } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { explain } from '@/api/problem';
import { ClientSelect } from '@/clients/ClientSelect';
import { Rows } from '@/ui/states';
import { previewQuery, type Template } from './api';
import css from './Editor.module.css';
import { commonPeriods, type Period, PeriodField } from './PeriodField';
import { PlanPreview } from './PlanPreview';

/** The saved draft on a real client and period: dates and owners before anything is made. */
export function TryOut({ template, dirty }: { template: Template; dirty: boolean }) {
  const [client, setClient] = useState<string | null>(null);
  const [period, setPeriod] = useState<Period>(commonPeriods()[0]);
  const query = useQuery({
    ...previewQuery(template, {
      client_id: client ?? '',
      draft: true,
      period_start: period?.start ?? null,
      period_end: period?.end ?? null,
    }),
    enabled: client !== null,
  });
  return (
    <aside className={css.preview} aria-label="Preview">
      <Stack gap="sm">
        <strong>Try it on a client</strong>
        <ClientSelect value={client} onChange={setClient} />
        <PeriodField value={period} onChange={setPeriod} />
        {dirty && client && <span className="quiet">Shows the draft as last saved.</span>}
        {query.error && <span style={{ color: 'var(--overdue)' }}>{explain(query.error)}</span>}
        {query.data ? <PlanPreview preview={query.data} /> : query.isFetching && <Rows count={4} />}
        {!client && (
          <span className="quiet">Choose a client to see every date and owner. Nothing is made.</span>
        )}
      </Stack>
    </aside>
  );
}
