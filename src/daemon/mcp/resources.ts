import {
  ProtocolError,
  ProtocolErrorCode,
  ResourceNotFoundError,
  type Server,
  UriTemplate,
} from '@modelcontextprotocol/server';
import * as z from 'zod';
import { LukhasError } from '../../lib/errors.js';
import { maskedJson } from '../../lib/input/index.js';
import type { Service } from '../service.js';

interface Template {
  name: string;
  title: string;
  description: string;
  uriTemplate: string;
  /** The only variable of the template. */
  variable: string;
  /** Values that start with what was typed. */
  complete(service: Service, value: string): Promise<string[]>;
  /** @throws LukhasError NOT_FOUND, AMBIGUOUS_ID */
  read(service: Service, value: string): Promise<object>;
  /** The newest ones, for resources/list. */
  list(service: Service): Promise<{ value: string; title: string }[]>;
}

/** How many resources of each kind are listed, and how many completions are offered. */
const LISTED = 50;
const COMPLETED = 100;

export const canaryUri = (id: string): string => `lukhas://canary/${encodeURIComponent(id)}`;

const TEMPLATES: readonly Template[] = [
  {
    name: 'canary',
    title: 'Canary',
    description: 'Status of a canary: what was requested, its state, and what decided it.',
    uriTemplate: 'lukhas://canary/{id}',
    variable: 'id',
    complete: (service, value) => service.canaryIds(value, COMPLETED),
    read: (service, id) => service.canaryStatus(id),
    async list(service) {
      const { summaries: newest } = await service.listCanaries({ limit: LISTED });
      return newest.map(({ subject, modelId, state }) => ({ value: subject, title: `${modelId}: ${state}` }));
    },
  },
  {
    name: 'ledger',
    title: 'Log entry',
    description: 'One event, by its number in the log, from 0.',
    uriTemplate: 'lukhas://ledger/{seq}',
    variable: 'seq',
    complete: (service, value) => service.entryNumbers(value, COMPLETED),
    read: (service, seq) => service.logEntry(entryNumber(seq)),
    list: async () => [],
  },
  {
    name: 'policy',
    title: 'Policy',
    description: 'A policy with all defaults filled in, by the sha256 of its canonical JSON.',
    uriTemplate: 'lukhas://policy/{id}',
    variable: 'id',
    async complete(service, value) {
      const policies = await service.listPolicies(COMPLETED);
      return policies.map(({ id }) => id).filter((id) => id.startsWith(value));
    },
    read: (service, id) => service.policy(id),
    async list(service) {
      const policies = await service.listPolicies(LISTED);
      return policies.map(({ id, policy }) => ({ value: id, title: policy.name ?? `policy ${id.slice(0, 12)}` }));
    },
  },
];

const MATCHERS = TEMPLATES.map((template) => ({ template, matcher: new UriTemplate(template.uriTemplate) }));
const MIME = 'application/json';

const LISTED_TEMPLATES = {
  resourceTemplates: TEMPLATES.map(({ name, title, description, uriTemplate }) => ({
    name,
    title,
    description,
    uriTemplate,
    mimeType: MIME,
  })),
};

const page = z.looseObject({ cursor: z.string().optional() });

export function answerResources(server: Server, service: Service): void {
  server.setRequestHandler('resources/templates/list', { params: page }, () => LISTED_TEMPLATES);
  server.setRequestHandler('resources/list', { params: page }, async () => ({ resources: await listAll(service) }));
  server.setRequestHandler('resources/read', { params: z.looseObject({ uri: z.string() }) }, ({ uri }) =>
    read(service, uri),
  );
  server.setRequestHandler('completion/complete', { params: completion }, async ({ ref, argument }) => {
    const values = await complete(service, ref, argument);
    return { completion: { values: values.slice(0, COMPLETED), total: values.length, hasMore: false } };
  });
}

async function listAll(service: Service) {
  const lists = await Promise.all(
    MATCHERS.map(async ({ template, matcher }) =>
      (await template.list(service)).map(({ value, title }) => ({
        uri: matcher.expand({ [template.variable]: value }),
        name: value,
        title,
        mimeType: MIME,
      })),
    ),
  );
  return lists.flat();
}

async function read(service: Service, uri: string) {
  for (const { template, matcher } of MATCHERS) {
    const value = matcher.match(uri)?.[template.variable];
    if (typeof value !== 'string') continue;
    try {
      const found = await template.read(service, decoded(value, uri));
      return { contents: [{ uri, mimeType: MIME, text: maskedJson(found) }] };
    } catch (error) {
      if (error instanceof LukhasError && error.code === 'NOT_FOUND') throw new ResourceNotFoundError(uri);
      throw error;
    }
  }
  throw new ResourceNotFoundError(uri);
}

function decoded(value: string, uri: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    throw new ResourceNotFoundError(uri);
  }
}

function entryNumber(text: string): number {
  const seq = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(seq)) return seq;
  throw new LukhasError(
    'NOT_FOUND',
    `${JSON.stringify(text)} is not a valid entry number: entries are numbered from 0.`,
  );
}

const completion = z.looseObject({
  ref: z.discriminatedUnion('type', [
    z.looseObject({ type: z.literal('ref/resource'), uri: z.string() }),
    z.looseObject({ type: z.literal('ref/prompt'), name: z.string() }),
  ]),
  argument: z.looseObject({ name: z.string(), value: z.string() }),
});

type Reference = z.output<typeof completion>['ref'];

/** Both prompts have an argument `id`, a canary. */
async function complete(
  service: Service,
  ref: Reference,
  argument: { name: string; value: string },
): Promise<string[]> {
  if (ref.type === 'ref/prompt') return argument.name === 'id' ? service.canaryIds(argument.value, COMPLETED) : [];
  const found = TEMPLATES.find(({ uriTemplate }) => uriTemplate === ref.uri);
  if (found === undefined)
    throw new ProtocolError(
      ProtocolErrorCode.InvalidParams,
      `Resource template ${JSON.stringify(ref.uri.slice(0, 80))} not found.`,
    );
  return argument.name === found.variable ? found.complete(service, argument.value) : [];
}
