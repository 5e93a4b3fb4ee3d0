// Types of every service's HTTP contract, generated from the files that route and validate requests.
// The result is not kept in version control: it can't lag behind its source.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import openapiTS, { astToString } from 'openapi-typescript';
import { parse } from 'yaml';

const root = new URL('../../../../', import.meta.url);
const target = new URL('../src/api/generated/', import.meta.url);
const common = new URL('chassis/chassis/common.yaml', root);
const contracts = {
  identity: 'gateway/identity/openapi.yaml',
  clients: 'services/clients/openapi.yaml',
  workflow: 'services/workflow/openapi.yaml',
  timebilling: 'services/timebilling/openapi.yaml',
  documents: 'services/documents/openapi.yaml',
  portal: 'services/portal/openapi.yaml',
};

const read = (url) => parse(readFileSync(url, 'utf8'), { merge: true });

/** The contract with the components all services share, as the services complete it when they start. */
function complete(contract, shared) {
  const components = { ...contract.components };
  for (const [kind, entries] of Object.entries(shared.components)) {
    components[kind] = { ...entries, ...components[kind] };
  }
  return { ...contract, components };
}

/** Idempotency keys are made in one place (src/api/http.ts); callers need not pass one. */
function withoutIdempotencyKeys(contract) {
  const isKey = ({ $ref, name }) => $ref?.endsWith('/idempotency_key') || name === 'Idempotency-Key';
  for (const item of Object.values(contract.paths)) {
    for (const operation of Object.values(item)) {
      if (operation.parameters)
        operation.parameters = operation.parameters.filter((parameter) => !isKey(parameter));
    }
  }
  return contract;
}

mkdirSync(target, { recursive: true });
const shared = read(common);
for (const [service, path] of Object.entries(contracts)) {
  const contract = withoutIdempotencyKeys(complete(read(new URL(path, root)), shared));
  const types = astToString(await openapiTS(contract, { alphabetize: true, defaultNonNullable: false }));
  const output = new URL(`${service}.ts`, target);
  // Written only when it differs, so that a watching compiler rests.
  if (!existsSync(output) || readFileSync(output, 'utf8') !== types) writeFileSync(output, types);
}
