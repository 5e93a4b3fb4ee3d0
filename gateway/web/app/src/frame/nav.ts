import {
  IconBriefcase,
  IconBuildings,
  IconClock,
  IconFiles,
  IconHome,
  IconListDetails,
  IconReceipt,
  IconSettings,
  type TablerIcon,
} from '@tabler/icons-react';

export type Place = { to: string; label: string; icon: TablerIcon; permission: string; shortcut: string };

/** The rooms of the app. Only what works is here, and only what the person may use is shown. */
export const places: Place[] = [
  { to: '/', label: 'Home', icon: IconHome, permission: 'identity:me:read', shortcut: 'g h' },
  { to: '/work', label: 'Work', icon: IconBriefcase, permission: 'workflow:jobs:read', shortcut: 'g w' },
  {
    to: '/clients',
    label: 'Clients',
    icon: IconBuildings,
    permission: 'clients:clients:read',
    shortcut: 'g c',
  },
  { to: '/time', label: 'Time', icon: IconClock, permission: 'timebilling:time:read', shortcut: 'g t' },
  {
    to: '/billing',
    label: 'Billing',
    icon: IconReceipt,
    permission: 'timebilling:invoices:read',
    shortcut: 'g b',
  },
  {
    to: '/documents',
    label: 'Documents',
    icon: IconFiles,
    permission: 'documents:documents:read',
    shortcut: 'g d',
  },
  {
    to: '/templates',
    label: 'Templates',
    icon: IconListDetails,
    permission: 'workflow:templates:read',
    shortcut: 'g m',
  },
  {
    to: '/settings',
    label: 'Settings',
    icon: IconSettings,
    permission: 'identity:firm:read',
    shortcut: 'g s',
  },
];
