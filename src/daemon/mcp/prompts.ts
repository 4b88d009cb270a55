import { type GetPromptResult, ProtocolError, ProtocolErrorCode, type Server } from '@modelcontextprotocol/server';
import * as z from 'zod';
import type { Service } from '../service.js';
import { canaryUri } from './resources.js';

interface Prompt {
  name: string;
  title: string;
  description: string;
  arguments: { name: string; description: string; required: boolean }[];
  write(service: Service, args: Readonly<Record<string, string>>): Promise<string>;
}

const REVIEW = `Review this canary for a person who has to stand by the decision.
Say in a few sentences: what was asked and by whom; what decided it and how sure that is; what was not known or not measured; what you would do next.
Quote numbers only from the text below or from the tools why_math and canary_status. Where the text says that something is not known, say so.`;

const EVIDENCE = `Prepare evidence for an auditor about the decisions below.
For each canary give: id, model, gates, policy and its targets, the verdict with its certainty, who asked, who overrode or aborted and with what reason, and the entries of the log that prove it (lukhas://ledger/{seq}).
Run verify_log first and report its result, with the size and the root of the log. Leave out what you cannot prove, and list it at the end.`;

const PROMPTS: readonly Prompt[] = [
  {
    name: 'review_canary',
    title: 'Review this canary',
    description: 'Judges a decision: what it rests on, how sure it is, what was not known.',
    arguments: [{ name: 'id', description: 'the canary', required: true }],
    async write(service, { id = '' }) {
      return `${REVIEW}\n\nThe log says of ${id} (${canaryUri(id)}):\n\n${quoted(await service.why(id))}`;
    },
  },
  {
    name: 'prepare_evidence',
    title: 'Prepare evidence',
    description: 'Puts together what proves a decision, for an auditor.',
    arguments: [{ name: 'id', description: 'a canary or a model; without one, the newest canaries', required: false }],
    async write(service, { id }) {
      if (id !== undefined) return `${EVIDENCE}\n\nAbout ${id}:\n\n${quoted(await service.why(id))}`;
      const heads = await service.listCanaries({ limit: 20 });
      const lines = heads.map(
        (h) => `${h.subject} ${h.modelId} ${h.data['fromGate']} -> ${h.data['toGate']} ${h.state}`,
      );
      return `${EVIDENCE}\n\nThe newest canaries:\n\n${quoted(lines.join('\n') || 'none')}`;
    },
  },
];

/** What others wrote into the log is shown as a quotation, so that it is not taken for the prompt's own words. */
function quoted(text: string): string {
  return text
    .split('\n')
    .map((line) => `> ${line}`)
    .join('\n');
}

const LISTED = {
  prompts: PROMPTS.map(({ name, title, description, arguments: args }) => ({
    name,
    title,
    description,
    arguments: args,
  })),
};

const page = z.looseObject({ cursor: z.string().optional() });
const get = z.looseObject({ name: z.string(), arguments: z.record(z.string(), z.string()).default({}) });

export function answerPrompts(server: Server, service: Service): void {
  server.setRequestHandler('prompts/list', { params: page }, () => LISTED);
  server.setRequestHandler(
    'prompts/get',
    { params: get },
    async ({ name, arguments: args }): Promise<GetPromptResult> => {
      const prompt = PROMPTS.find((candidate) => candidate.name === name);
      if (prompt === undefined) throw invalid(`There is no prompt ${JSON.stringify(name.slice(0, 80))}.`);
      for (const { name: argument, required } of prompt.arguments)
        if (required && !args[argument]) throw invalid(`prompt ${name}: ${argument} is missing`);
      const text = await prompt.write(service, args);
      return { description: prompt.description, messages: [{ role: 'user', content: { type: 'text', text } }] };
    },
  );
}

function invalid(message: string): ProtocolError {
  return new ProtocolError(ProtocolErrorCode.InvalidParams, message);
}
