import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
} from '@tanstack/react-router';
import type { InvoiceStatus } from './billing/api';
import { invoiceStatuses } from './billing/status';
import type { ClientSearch } from './clients/Clients';
import { Frame } from './frame/Frame';
import { Broken, NotFound } from './frame/Lost';
import { signedInOnly } from './session/guard';
import { SignIn } from './session/SignIn';
import { readWorkSearch } from './work/search';

const root = createRootRoute({ component: Outlet, notFoundComponent: NotFound });

const framed = createRoute({
  getParentRoute: () => root,
  id: 'framed',
  beforeLoad: signedInOnly,
  component: Frame,
});

type Search = Record<string, unknown>;
const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined);

/** Without what is not there, so that addresses stay short. */
const defined = <T extends object>(search: T): T =>
  Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined)) as T;

const door = [
  createRoute({
    getParentRoute: () => root,
    path: '/sign-in',
    component: SignIn,
    validateSearch: ({ next }: Search): { next?: string } =>
      text(next)?.match(/^\/(?![/\\])/) ? { next: text(next) } : {},
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/setup',
    component: lazyRouteComponent(() => import('./session/SetUp'), 'SetUp'),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/forgotten-password',
    component: lazyRouteComponent(() => import('./session/ForgottenPassword'), 'ForgottenPassword'),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/new-password',
    component: lazyRouteComponent(() => import('./session/ResetPassword'), 'ResetPassword'),
  }),
  createRoute({
    getParentRoute: () => root,
    path: '/accept-invitation',
    component: lazyRouteComponent(() => import('./session/AcceptInvitation'), 'AcceptInvitation'),
  }),
];

const room = <Path extends string>(path: Path, component: ReturnType<typeof lazyRouteComponent>) =>
  createRoute({ getParentRoute: () => framed, path, component });

const rooms = [
  room(
    '/',
    lazyRouteComponent(() => import('./home/Home'), 'Home'),
  ),
  createRoute({
    getParentRoute: () => framed,
    path: '/work',
    component: lazyRouteComponent(() => import('./work/Work'), 'Work'),
    validateSearch: readWorkSearch,
  }),
  createRoute({
    getParentRoute: () => framed,
    path: '/work/new',
    component: lazyRouteComponent(() => import('./work/StartJob'), 'StartJob'),
    validateSearch: ({ client, template }: Search): { client?: string; template?: string } =>
      defined({ client: text(client), template: text(template) }),
  }),
  room(
    '/work/jobs/$jobId',
    lazyRouteComponent(() => import('./work/JobPage'), 'JobPage'),
  ),
  createRoute({
    getParentRoute: () => framed,
    path: '/clients',
    component: lazyRouteComponent(() => import('./clients/Clients'), 'Clients'),
    validateSearch: ({ q, status }: Search): ClientSearch =>
      defined({
        q: text(q),
        status: (['active', 'prospect', 'former'] as const).find((one) => one === status),
      }),
  }),
  room(
    '/clients/$clientId',
    lazyRouteComponent(() => import('./clients/ClientPage'), 'ClientPage'),
  ),
  createRoute({
    getParentRoute: () => framed,
    path: '/time',
    component: lazyRouteComponent(() => import('./time/Time'), 'Time'),
    validateSearch: ({ day }: Search): { day?: string } =>
      defined({ day: text(day)?.match(/^\d{4}-\d\d-\d\d$/)?.[0] }),
  }),
  room(
    '/time/approve',
    lazyRouteComponent(() => import('./time/Approve'), 'Approve'),
  ),
  room(
    '/billing',
    lazyRouteComponent(() => import('./billing/Billing'), 'Billing'),
  ),
  room(
    '/billing/clients/$clientId',
    lazyRouteComponent(() => import('./billing/BillClient'), 'BillClient'),
  ),
  createRoute({
    getParentRoute: () => framed,
    path: '/billing/invoices',
    component: lazyRouteComponent(() => import('./billing/Invoices'), 'Invoices'),
    validateSearch: ({ status }: Search): { status?: InvoiceStatus } =>
      defined({ status: invoiceStatuses.find((one) => one === status) }),
  }),
  room(
    '/billing/invoices/$invoiceId',
    lazyRouteComponent(() => import('./billing/InvoicePage'), 'InvoicePage'),
  ),
  room(
    '/billing/payments',
    lazyRouteComponent(() => import('./billing/Payments'), 'Payments'),
  ),
  createRoute({
    getParentRoute: () => framed,
    path: '/documents',
    component: lazyRouteComponent(() => import('./documents/Documents'), 'Documents'),
    validateSearch: ({ q }: Search): { q?: string } => defined({ q: text(q) }),
  }),
  room(
    '/templates',
    lazyRouteComponent(() => import('./templates/Templates'), 'Templates'),
  ),
  room(
    '/templates/$templateId',
    lazyRouteComponent(() => import('./templates/TemplatePage'), 'TemplatePage'),
  ),
  createRoute({ getParentRoute: () => framed, path: '$', component: NotFound }),
];

const settings = createRoute({
  getParentRoute: () => framed,
  path: '/settings',
  component: lazyRouteComponent(() => import('./settings/Settings'), 'Settings'),
});

const setting = <Path extends string>(path: Path, component: ReturnType<typeof lazyRouteComponent>) =>
  createRoute({ getParentRoute: () => settings, path, component });

const settingsParts = [
  setting(
    '/',
    lazyRouteComponent(() => import('./settings/Firm'), 'Firm'),
  ),
  setting(
    '/staff',
    lazyRouteComponent(() => import('./settings/Staff'), 'Staff'),
  ),
  setting(
    '/stages',
    lazyRouteComponent(() => import('./settings/Stages'), 'Stages'),
  ),
  setting(
    '/rates',
    lazyRouteComponent(() => import('./settings/Rates'), 'Rates'),
  ),
  setting(
    '/billing',
    lazyRouteComponent(() => import('./settings/BillingSettings'), 'BillingSettings'),
  ),
  setting(
    '/portal',
    lazyRouteComponent(() => import('./settings/Portal'), 'Portal'),
  ),
  setting(
    '/api-clients',
    lazyRouteComponent(() => import('./settings/ApiClients'), 'ApiClients'),
  ),
];

export const router = createRouter({
  routeTree: root.addChildren([...door, framed.addChildren([...rooms, settings.addChildren(settingsParts)])]),
  defaultPreload: 'intent',
  defaultErrorComponent: Broken,
  defaultNotFoundComponent: NotFound,
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
