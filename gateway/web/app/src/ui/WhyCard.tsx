import { Popover, UnstyledButton } from '@mantine/core';
import type { ReactNode } from 'react';
import { sentence } from '@/lib/status';
import css from './WhyCard.module.css';

export type WhyShown = { says: string; rule: string; version?: string; inputs?: Record<string, unknown> };

/** Every derived figure answers "why?": what is shown opens a small card with its rule, version and inputs. */
export function WhyCard({
  why,
  label,
  children,
}: {
  why?: WhyShown | null;
  label: string;
  children: ReactNode;
}) {
  if (!why) return children;
  const inputs = Object.entries(why.inputs ?? {}).filter(([, value]) => tells(value));
  return (
    <Popover width={320} position="bottom-start" trapFocus returnFocus>
      <Popover.Target>
        <UnstyledButton className={css.target} aria-label={`${label}: why?`}>
          {children}
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown className={css.card}>
        <p className={css.says}>{why.says}</p>
        {inputs.length > 0 && (
          <dl className={css.inputs}>
            {inputs.map(([name, value]) => (
              <div key={name}>
                <dt>{sentence(name)}</dt>
                <dd>{written(value)}</dd>
              </div>
            ))}
          </dl>
        )}
        <p className={css.rule}>
          Rule {why.rule}
          {why.version && `, ${why.version}`}
        </p>
      </Popover.Dropdown>
    </Popover>
  );
}

const UUID = /^[0-9a-f]{8}-[0-9a-f-]{27}$/;

/** Whether people learn something from an input: ids and empty values say nothing. */
const tells = (value: unknown) =>
  value !== null && value !== '' && !(typeof value === 'string' && UUID.test(value));

function written(value: unknown): string {
  if (Array.isArray(value)) return value.map(written).join(', ');
  if (value && typeof value === 'object') {
    const { title, name, amount, currency } = value as Record<string, unknown>;
    if (amount && currency) return `${currency} ${amount}`;
    return String(
      title ??
        name ??
        Object.values(value)
          .filter((part) => typeof part !== 'object')
          .join(' · '),
    );
  }
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return String(value);
}
