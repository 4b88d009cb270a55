import type { CallToolResult, Tool } from '@modelcontextprotocol/server';
import * as z from 'zod';
import { LukhasError } from '../../../lib/errors.js';
import { masked, maskUrls, parseInput } from '../../../lib/input/index.js';
import type { Actor } from '../../../lib/ledger/index.js';
import type { Service } from '../../service.js';
import type { WaitProgress } from '../../wait.js';
import { understood } from './arguments.js';
import { advertised } from './schema.js';

/** Groups of tools that a server can be limited to. */
export const TOOLSETS = ['search', 'canaries', 'jobs', 'gates', 'log'] as const;
export type Toolset = (typeof TOOLSETS)[number];

/** The caller, and what a long call can use. */
export interface ToolCall {
  actor: Actor;
  /** Address of the daemon, for links; null: people reach none. */
  base: string | null;
  /** Rewrites advice of the library, which speaks of commands, for somebody who has these tools. */
  advice(text: string): string;
  /** Aborted when nobody waits for the answer any more. */
  signal: AbortSignal;
  /** Set when the caller asked for progress. */
  onProgress?: ((progress: WaitProgress) => void) | undefined;
}

interface ToolSpec<Input extends z.ZodType> {
  name: string;
  title: string;
  toolset: Toolset;
  /** One or two sentences: clients send every word with each of their requests. */
  description: string;
  /** Left out for tools that only read. */
  effect?: { destructive: boolean; idempotent: boolean };
  input: Input;
  output: z.ZodType;
  /** @returns what is answered as JSON */
  run(service: Service, args: z.output<Input>, call: ToolCall): Promise<object>;
  /** Plain text in place of the JSON, for what a person reads. */
  text?(value: object): string;
}

export interface LukhasTool {
  name: string;
  toolset: Toolset;
  readOnly: boolean;
  /** As in `tools/list`. */
  listed: Tool;
  /** Arguments that are not valid are a tool error too, which the calling model reads. */
  call(service: Service, args: unknown, call: ToolCall): Promise<CallToolResult>;
}

export function defineTool<Input extends z.ZodType>(spec: ToolSpec<Input>): LukhasTool {
  const { name, title, toolset, description, effect } = spec;
  const inputSchema = advertised(spec.input, 'input') as Tool['inputSchema'];
  return {
    name,
    toolset,
    readOnly: effect === undefined,
    listed: {
      name,
      title,
      description,
      inputSchema,
      outputSchema: advertised(spec.output, 'output') as Tool['inputSchema'],
      annotations: {
        readOnlyHint: effect === undefined,
        destructiveHint: effect?.destructive ?? false,
        idempotentHint: effect?.idempotent ?? true,
        openWorldHint: false,
      },
    },
    async call(service, args, call) {
      try {
        // Parsing fills in the defaults; the advertised schema alone does not.
        const parsed = parseArguments(spec.input, understood(inputSchema, args), name);
        const value = masked(await spec.run(service, parsed, call));
        const text = spec.text?.(value) ?? JSON.stringify(value);
        return { content: [{ type: 'text', text }], structuredContent: value as Record<string, unknown> };
      } catch (error) {
        if (error instanceof LukhasError) return failed(error, call);
        throw error;
      }
    },
  };
}

/** @throws LukhasError USAGE that names each wrong argument, and lists the ones there are */
function parseArguments<Input extends z.ZodType>(schema: Input, args: unknown, tool: string): z.output<Input> {
  try {
    return parseInput(schema, args, `arguments of ${tool}`, 'USAGE');
  } catch (cause) {
    if (!(cause instanceof LukhasError)) throw cause;
    const names = schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
    throw new LukhasError('USAGE', cause.message, { suggestions: [`${tool} takes: ${names.join(', ')}`], cause });
  }
}

/** Read by the calling model: what went wrong, and what to do. */
function failed({ code, message, suggestions }: LukhasError, { advice }: ToolCall): CallToolResult {
  const text = [`${code}: ${message}`, ...suggestions.map((suggestion) => `- ${advice(suggestion)}`)].join('\n');
  return { content: [{ type: 'text', text: maskUrls(text) }], isError: true };
}
