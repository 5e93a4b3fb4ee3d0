import { lookOf } from '@/lib/status';
import css from './Status.module.css';

/** A status as colour, icon and word together; the colour alone never carries it. */
export function Status({ value, title }: { value: string; title?: string }) {
  const { word, tone, icon: Icon } = lookOf(value);
  return (
    <span className={css.status} data-tone={tone} title={title}>
      <Icon size={14} stroke={2} aria-hidden />
      {word}
    </span>
  );
}
