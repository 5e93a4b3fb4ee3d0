import css from './Person.module.css';

const initials = (name: string) =>
  name
    .split(/\s+/)
    .filter(Boolean)
    .map((word) => word[0])
    .filter((_, index, all) => index === 0 || index === all.length - 1)
    .join('')
    .toUpperCase();

/** A person as initials with the name; `compact` keeps the name for hover and screen readers. */
export function Person({ name, compact = false }: { name?: string | null; compact?: boolean }) {
  if (!name) {
    return <span className="quiet">{compact ? <Initials text="–" label="Nobody" /> : 'Nobody'}</span>;
  }
  if (compact) return <Initials text={initials(name)} label={name} />;
  return (
    <span className={css.person}>
      <span className={css.avatar} aria-hidden>
        {initials(name)}
      </span>
      <span className="truncate">{name}</span>
    </span>
  );
}

function Initials({ text, label }: { text: string; label: string }) {
  return (
    <span className={css.avatar} role="img" aria-label={label} title={label}>
      {text}
    </span>
  );
}
