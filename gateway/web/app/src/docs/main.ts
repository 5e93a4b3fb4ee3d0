import '@fontsource-variable/inter/index.css';
import viewer from 'redoc/bundles/redoc.standalone.js?url';
import './docs.css';
import { introduction } from './introduction';

// All services' references in one place, each rendered from the very file that routes and validates its requests.
const services = [
  { id: 'start', name: 'Start here' },
  { id: 'identity', name: 'Identity' },
  { id: 'clients', name: 'Clients' },
  { id: 'workflow', name: 'Workflow' },
  { id: 'timebilling', name: 'Time and billing' },
  { id: 'documents', name: 'Documents' },
  { id: 'portal', name: 'Portal' },
] as const;

type Redoc = {
  init: (spec: unknown, options: object, element: HTMLElement, done?: (error?: Error) => void) => void;
};

const nav = document.getElementById('services') as HTMLElement;
const place = document.getElementById('reference') as HTMLElement;

// The viewer keeps its own place behind "#"; which service is shown stands in the query.
const chosen =
  services.find(({ id }) => id === new URLSearchParams(location.search).get('service')) ?? services[0];

for (const { id, name } of services) {
  const link = document.createElement('a');
  link.href = id === 'start' ? '/api/docs/' : `/api/docs/?service=${id}`;
  link.textContent = name;
  if (id === chosen.id) link.setAttribute('aria-current', 'page');
  nav.append(link);
}

document.title = `${chosen.name} · Praxis API`;
if (chosen.id === 'start') place.append(introduction(services.slice(1)));
else show(chosen.id);

async function show(service: string): Promise<void> {
  place.textContent = 'Loading …';
  try {
    const answer = await fetch(`/api/${service}/v1/openapi.json`);
    if (!answer.ok) throw new Error(`The service answered ${answer.status}.`);
    const contract = await answer.json();
    const redoc = await loadViewer();
    place.textContent = '';
    redoc.init(contract, options, place);
  } catch (error) {
    place.textContent = `The reference could not be loaded. ${error instanceof Error ? error.message : ''} Try again in a moment.`;
  }
}

/** The viewer is one large ready-made file: it is loaded as it is, by this page alone. */
function loadViewer(): Promise<Redoc> {
  return new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = viewer;
    script.onload = () => resolve((window as unknown as { Redoc: Redoc }).Redoc);
    script.onerror = () => reject(new Error('The viewer did not arrive.'));
    document.head.append(script);
  });
}

const font = "'Inter Variable', system-ui, sans-serif";
const mono = 'ui-monospace, SFMono-Regular, Menlo, Consolas, monospace';

const options = {
  // The search runs in a worker made from a blob:, which the content security policy refuses.
  disableSearch: true,
  hideDownloadButton: false,
  expandResponses: '200,201',
  hideHostname: true,
  pathInMiddlePanel: true,
  sortRequiredPropsFirst: true,
  nativeScrollbars: true,
  scrollYOffset: 56,
  theme: {
    spacing: { unit: 4, sectionVertical: 24 },
    colors: {
      primary: { main: '#0f6b64' },
      text: { primary: '#1b222d', secondary: '#4c5666' },
      border: { light: '#e6e9ee', dark: '#d8dde4' },
    },
    typography: {
      fontSize: '14px',
      fontFamily: font,
      fontWeightBold: '600',
      headings: { fontFamily: font, fontWeight: '600' },
      code: { fontFamily: mono, fontSize: '13px' },
      links: { color: '#0f6b64' },
    },
    sidebar: { backgroundColor: '#f8f9fb', width: '260px' },
    rightPanel: { backgroundColor: '#1b222d' },
  },
};
