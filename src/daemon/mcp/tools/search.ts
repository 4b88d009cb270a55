import * as z from 'zod';
import { documentAddress } from '../../../lib/view/index.js';
import { defineTool } from './tool.js';

const hit = z.looseObject({ id: z.string(), title: z.string() });
const result = z.looseObject({
  id: z.string(),
  title: z.string(),
  url: z.string().describe('Its page in the cockpit; empty if there is none.'),
});

export const search = defineTool({
  name: 'search',
  title: 'Search',
  toolset: 'search',
  description: 'Searches canaries, decisions, jobs, models, policies and the documentation. Read a hit with fetch.',
  input: z.strictObject({
    query: z.string().min(1).max(500).describe('Words to search for.'),
    limit: z.int().min(1).max(50).default(5),
  }),
  output: z.looseObject({
    results: z.array(result),
    ids: z.array(z.string()),
    hits: z.array(hit),
    warning: z.string().optional(),
  }),
  async run(service, { query, limit }, { base, advice }) {
    const { hits, warning } = await service.search(query, limit);
    return {
      ...(warning === null ? {} : { warning: advice(warning) }),
      results: hits.map(({ id, title }) => ({ id, title, url: documentAddress(base, id) })),
      ids: hits.map(({ id }) => id),
      hits: hits.map(({ id, title, snippet }) => ({ id, title, snippet })),
    };
  },
});

export const fetch = defineTool({
  name: 'fetch',
  title: 'Fetch',
  toolset: 'search',
  description: 'The full text of one search hit.',
  input: z.strictObject({ id: z.string().min(1).max(500).describe('Id from search, e.g. canary:c-m8k2x0.') }),
  output: z.looseObject({
    id: z.string(),
    title: z.string(),
    text: z.string(),
    url: z.string(),
    metadata: z.record(z.string(), z.string()),
  }),
  async run(service, { id: asked }, { base }) {
    const document = await service.fetch(asked);
    return { ...document, url: documentAddress(base, document.id) };
  },
});
