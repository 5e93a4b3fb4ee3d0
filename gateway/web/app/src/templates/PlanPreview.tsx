import { IconAlertTriangle } from '@tabler/icons-react';
import { inWords } from '@/lib/durations';
import { DateText } from '@/ui/DateText';
import type { Preview } from './api';
import css from './Editor.module.css';

/** Every task, request, date and owner of a job that does not exist yet, each with how it came about. */
export function PlanPreview({ preview }: { preview: Preview }) {
  return (
    <div>
      <strong>{preview.title}</strong>
      <div className="quiet" style={{ fontSize: 13 }}>
        {[
          preview.owner ? `Owner ${preview.owner.name}` : 'Nobody owns it yet',
          preview.budget_minutes > 0 && inWords(preview.budget_minutes),
        ]
          .filter(Boolean)
          .join(' · ')}
      </div>
      <div style={{ fontSize: 13, marginTop: 4 }}>
        {preview.internal_due_on && (
          <>
            Internal <DateText date={preview.internal_due_on} relative />
            <br />
          </>
        )}
        {preview.statutory_due_on && (
          <>
            Statutory <DateText date={preview.statutory_due_on} relative />
          </>
        )}
      </div>
      {preview.warnings.map((warning) => (
        <div key={`${warning.code}${warning.key}${warning.role}`} className={css.warning}>
          <IconAlertTriangle size={15} aria-hidden />
          <span>{warning.message}</span>
        </div>
      ))}
      <ol className={css.plan}>
        {preview.tasks.map((task) => (
          <li key={task.key}>
            <span>{task.title}</span>
            <DateText date={task.due_on} />
            <small>
              {[task.owner?.name ?? 'Nobody', task.owner_why, task.due_why].filter(Boolean).join(' · ')}
            </small>
          </li>
        ))}
        {preview.requests.map((request) => (
          <li key={request.key}>
            <span>Ask: {request.title}</span>
            <DateText date={request.due_on} />
            <small>
              {[
                {
                  at_once: 'sent at once',
                  when_ready: 'sent when what it waits for is done',
                  by_hand: 'sent by hand',
                }[request.sent],
                request.due_why,
              ]
                .filter(Boolean)
                .join(' · ')}
            </small>
          </li>
        ))}
      </ol>
    </div>
  );
}
