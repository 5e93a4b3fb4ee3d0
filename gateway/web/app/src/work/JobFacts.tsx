import { Link } from '@tanstack/react-router';
import { sentence } from '@/lib/status';
import { DateText } from '@/ui/DateText';
import { Section } from '@/ui/Page';
import { Person } from '@/ui/Person';
import type { Job } from './api';
import css from './JobPage.module.css';

/** Whose it is, by when, and where it came from. */
export function JobFacts({ job }: { job: Job }) {
  return (
    <Section title="About">
      <dl className={css.facts}>
        <Fact name="Owner">
          <Person name={job.owner?.name} />
        </Fact>
        {job.people.map(({ role, staff }) => (
          <Fact key={role} name={sentence(role)}>
            <Person name={staff?.name} />
          </Fact>
        ))}
        <Fact name="Started">
          <DateText date={job.starts_on} />
        </Fact>
        {job.internal_due_on && (
          <Fact name="Internal due">
            <DateText date={job.internal_due_on} />
          </Fact>
        )}
        {job.statutory_due_on && (
          <Fact name="Statutory due">
            <DateText date={job.statutory_due_on} />
          </Fact>
        )}
        {job.extended_due_on && (
          <Fact name="Extended to">
            <DateText date={job.extended_due_on} />
          </Fact>
        )}
        {job.template && (
          <Fact name="Template">
            <Link to="/templates/$templateId" params={{ templateId: job.template.id }}>
              {job.template.name}
            </Link>
            , version {job.template.version}
          </Fact>
        )}
        {job.engagement && <Fact name="Engagement">{job.engagement.title}</Fact>}
        {job.cancel_reason && <Fact name="Cancelled">{job.cancel_reason}</Fact>}
      </dl>
    </Section>
  );
}

export function Fact({ name, children }: { name: React.ReactNode; children: React.ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
