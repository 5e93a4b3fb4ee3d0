import createClient from 'openapi-fetch';
import type { paths as ClientsPaths } from './generated/clients';
import type { paths as DocumentsPaths } from './generated/documents';
import type { paths as IdentityPaths } from './generated/identity';
import type { paths as PortalPaths } from './generated/portal';
import type { paths as TimebillingPaths } from './generated/timebilling';
import type { paths as WorkflowPaths } from './generated/workflow';
import { send } from './http';

const at = (service: string) => ({ baseUrl: `${location.origin}/api/${service}/v1`, fetch: send });

// One typed client per service; paths, parameters and bodies are checked against its contract when the app is built.
export const identity = createClient<IdentityPaths>(at('identity'));
export const clients = createClient<ClientsPaths>(at('clients'));
export const workflow = createClient<WorkflowPaths>(at('workflow'));
export const timebilling = createClient<TimebillingPaths>(at('timebilling'));
export const documents = createClient<DocumentsPaths>(at('documents'));
export const portal = createClient<PortalPaths>(at('portal'));
