type Service = { id: string; name: string };

const example = (origin: string) => `# 1. A token. Client id and secret come from Settings → API clients.
TOKEN=$(curl -s ${origin}/api/identity/v1/oauth/token \\
  -d grant_type=client_credentials -d client_id=$CLIENT_ID -d client_secret=$CLIENT_SECRET \\
  | python3 -c 'import json, sys; print(json.load(sys.stdin)["access_token"])')

# 2. A client.
curl -s ${origin}/api/clients/v1/clients -H "Authorization: Bearer $TOKEN" \\
  -H "Content-Type: application/json" -H "Idempotency-Key: first-client" \\
  -d '{"name": "Example Ltd", "kind": "organisation"}'

# 3. Its jobs.
curl -s "${origin}/api/workflow/v1/jobs?client_id=$CLIENT" -H "Authorization: Bearer $TOKEN"`;

const rules: [string, string][] = [
  [
    'Errors',
    'Every refusal is problem+json (RFC 9457) with a stable code made for programs and a title made for people. What belongs to another firm answers 404, like what does not exist.',
  ],
  [
    'Idempotency',
    'Send an Idempotency-Key with every POST. Sent again within 24 hours it answers what it answered the first time and does nothing twice; with another body it is refused with 409.',
  ],
  [
    'Changes',
    'Reading a thing gives its ETag; a change sends it as If-Match. Without it the answer is 428, and 412 if somebody was faster.',
  ],
  [
    'Lists',
    'limit and an opaque cursor: next_cursor of one page is the cursor of the next, null on the last.',
  ],
  [
    'Money and dates',
    'Money is a decimal string with its currency: {"amount": "123.45", "currency": "GBP"}. Dates are days in the firm’s time zone; instants are UTC.',
  ],
  [
    'Permissions',
    'Each operation names the permission it needs, such as workflow:jobs:write. The same words are the scopes of API clients.',
  ],
];

/** The first five minutes, and what holds for every service. */
export function introduction(services: readonly Service[]): HTMLElement {
  const article = document.createElement('article');
  article.className = 'intro';
  article.append(
    heading('h1', 'The Praxis API'),
    paragraph(
      'Everything staff can do on a screen, a partner system can do here. Each service owns its operations; all share the same conventions.',
    ),
    heading('h2', 'First five minutes'),
    code(example(location.origin)),
    heading('h2', 'What holds everywhere'),
    list(rules),
    heading('h2', 'References'),
    links(services),
  );
  return article;
}

function heading(level: 'h1' | 'h2', text: string): HTMLElement {
  const element = document.createElement(level);
  element.textContent = text;
  return element;
}

function paragraph(text: string): HTMLElement {
  const element = document.createElement('p');
  element.textContent = text;
  return element;
}

function code(text: string): HTMLElement {
  const element = document.createElement('pre');
  element.tabIndex = 0;
  element.textContent = text;
  return element;
}

function list(entries: [string, string][]): HTMLElement {
  const element = document.createElement('dl');
  for (const [term, text] of entries) {
    const dt = document.createElement('dt');
    const dd = document.createElement('dd');
    dt.textContent = term;
    dd.textContent = text;
    element.append(dt, dd);
  }
  return element;
}

function links(services: readonly Service[]): HTMLElement {
  const element = document.createElement('ul');
  for (const { id, name } of services) {
    const item = document.createElement('li');
    const page = document.createElement('a');
    const file = document.createElement('a');
    page.href = `/api/docs/?service=${id}`;
    page.textContent = name;
    file.href = `/api/${id}/v1/openapi.json`;
    file.textContent = 'openapi.json';
    item.append(page, ' · ', file);
    element.append(item);
  }
  return element;
}
