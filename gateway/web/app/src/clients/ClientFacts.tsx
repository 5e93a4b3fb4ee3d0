import { dayOfYear } from '@/lib/dates';
import { countries } from '@/lib/places';
import { Section } from '@/ui/Page';
import { Person } from '@/ui/Person';
import { Fact } from '@/work/JobFacts';
import css from '@/work/JobPage.module.css';
import type { Client } from './api';

export function ClientFacts({ client }: { client: Client }) {
  const { address, tax_numbers } = client;
  const country = countries().find(({ value }) => value === address?.country)?.label;
  return (
    <Section title="About">
      <dl className={css.facts}>
        <Fact name="Partner">
          <Person name={client.partner?.name} />
        </Fact>
        <Fact name="Manager">
          <Person name={client.manager?.name} />
        </Fact>
        <Fact name="Kind">{client.kind === 'person' ? 'Person' : 'Organisation'}</Fact>
        <Fact name="Currency">{client.currency}</Fact>
        {client.year_end && <Fact name="Year ends">{dayOfYear(client.year_end)}</Fact>}
        {tax_numbers.vat && <Fact name="VAT">{tax_numbers.vat}</Fact>}
        {tax_numbers.income_tax && <Fact name="Income tax">{tax_numbers.income_tax}</Fact>}
        {tax_numbers.payroll && <Fact name="Payroll">{tax_numbers.payroll}</Fact>}
        {address && (
          <Fact name="Address">
            {[
              address.line1,
              address.line2,
              [address.postcode, address.city].filter(Boolean).join(' '),
              country,
            ]
              .filter(Boolean)
              .join(', ')}
          </Fact>
        )}
      </dl>
    </Section>
  );
}
