import { type GetPromptResult, ProtocolError, ProtocolErrorCode, type Server } from '@modelcontextprotocol/server';
import * as z from 'zod';
import { maskUrls } from '../../lib/input/index.js';
import type { Service } from '../service.js';
import { canaryUri } from './resources.js';

type Advice = (text: string) => string;

interface Prompt {
  name: string;
  title: string;
  description: string;
  arguments: { name: string; description: string; required: boolean }[];
  /** @param advice rewrites what a narrative says to do next */
  write(service: Service, args: Readonly<Record<string, string>>, advice: Advice): Promise<string>;
}

const REVIEW = `Review this canary for the person who is responsible for the decision.
Say in a few sentences: what was requested and by whom; what decided it and how certain that is; what was unknown or not measured; what you would do next.
Quote numbers only from the text below or from the tools why_math and canary_status. Where the text says that something is unknown, say so.`;

const EVIDENCE = `Prepare evidence for an auditor about the decisions below.
For each canary list: id, model, gates, policy and its targets, the verdict and its certainty, who requested it, who overrode or aborted it and for what reason, and the log entries that prove it (lukhas://ledger/{seq}).
Run verify_log first and report its result, with the size and the root of the log. Leave out what you cannot prove, and list that at the end.`;

const PROMPTS: readonly Prompt[] = [
  {
    name: 'review_canary',
    title: 'Review this canary',
    description: 'Reviews a decision: the evidence for it, how certain it is, and what was unknown.',
    arguments: [{ name: 'id', description: 'the canary', required: true }],
    async write(service, { id = '' }, advice) {
      return `${REVIEW}\n\nFrom the log, about ${id} (${canaryUri(id)}):\n\n${quoted(await service.why(id, advice))}`;
    },
  },
  {
    name: 'prepare_evidence',
    title: 'Prepare evidence',
    description: 'Collects the evidence for a decision, for an auditor.',
    arguments: [{ name: 'id', description: 'a canary or a model; without one, the newest canaries', required: false }],
    async write(service, { id }, advice) {
      if (id !== undefined) return `${EVIDENCE}\n\nAbout ${id}:\n\n${quoted(await service.why(id, advice))}`;
      const { summaries: newest } = await service.listCanaries({ limit: 20 });
      const lines = newest.map(
        (c) => `${c.subject} ${c.modelId} ${c.data['fromGate']} -> ${c.data['toGate']} ${c.state}`,
      );
      return `${EVIDENCE}\n\nThe newest canaries:\n\n${quoted(lines.join('\n') || 'none')}`;
    },
  },
];

/** Text from the log is quoted, so that a model does not take it for instructions of the prompt. */
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

export function answerPrompts(server: Server, service: Service, advice: Advice): void {
  server.setRequestHandler('prompts/list', { params: page }, () => LISTED);
  server.setRequestHandler(
    'prompts/get',
    { params: get },
    async ({ name, arguments: args }): Promise<GetPromptResult> => {
      const prompt = PROMPTS.find((candidate) => candidate.name === name);
      if (prompt === undefined) throw invalid(`Prompt ${JSON.stringify(name.slice(0, 80))} not found.`);
      for (const { name: argument, required } of prompt.arguments)
        if (required && !args[argument]) throw invalid(`prompt ${name}: argument ${argument} is missing`);
      const text = maskUrls(await prompt.write(service, args, advice));
      return { description: prompt.description, messages: [{ role: 'user', content: { type: 'text', text } }] };
    },
  );
}

function invalid(message: string): ProtocolError {
  return new ProtocolError(ProtocolErrorCode.InvalidParams, message);
}
