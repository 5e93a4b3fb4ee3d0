import { Link, Outlet, useLocation } from '@tanstack/react-router';
import { useMay } from '@/session/me';
import { Page } from '@/ui/Page';
import css from './Settings.module.css';

const parts = [
  { to: '/settings', label: 'Firm', permission: 'identity:firm:read' },
  { to: '/settings/staff', label: 'Staff', permission: 'identity:staff:read' },
  { to: '/settings/stages', label: 'Stages', permission: 'workflow:jobs:read' },
  { to: '/settings/rates', label: 'Rates', permission: 'timebilling:rates:read' },
  { to: '/settings/billing', label: 'Time and billing', permission: 'timebilling:settings:read' },
  { to: '/settings/portal', label: 'Portal and invoices', permission: 'portal:branding:read' },
  { to: '/settings/api-clients', label: 'API clients', permission: 'identity:api_clients:read' },
] as const;

export function Settings() {
  const may = useMay();
  const { pathname } = useLocation();
  const here = parts.find(({ to }) => to === pathname);
  return (
    <Page title={here ? `${here.label}` : 'Settings'} trail="Settings">
      <div className={css.columns}>
        <nav className={css.nav} aria-label="Settings">
          {parts
            .filter(({ permission }) => may(permission))
            .map(({ to, label }) => (
              <Link key={to} to={to} className={css.link} activeOptions={{ exact: true }}>
                {label}
              </Link>
            ))}
        </nav>
        <div className={css.content}>
          <Outlet />
        </div>
      </div>
    </Page>
  );
}
