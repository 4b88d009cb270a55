import { type CallToolResult, ProtocolError, ProtocolErrorCode, type Tool } from '@modelcontextprotocol/server';
import * as z from 'zod';
import { LukhasError } from '../../../lib/errors.js';
import { parseInput } from '../../../lib/input/index.js';
import type { Actor } from '../../../lib/ledger/index.js';
import type { Service } from '../../service.js';
import type { WaitProgress } from '../../wait.js';

/** Groups that a server can be limited to. */
export const TOOLSETS = ['search', 'canaries', 'jobs', 'gates', 'log'] as const;
export type Toolset = (typeof TOOLSETS)[number];

/** Who calls, and what a long call may use. */
export interface ToolCall {
  actor: Actor;
  /** Aborted when nobody waits for the answer any more. */
  signal: AbortSignal;
  /** Given when the caller wants to hear how a wait goes. */
  onProgress?: ((progress: WaitProgress) => void) | undefined;
}

interface ToolSpec<Input extends z.ZodType> {
  name: string;
  title: string;
  toolset: Toolset;
  /** One or two sentences: a client pays for every word in each of its requests. */
  description: string;
  /** Reads only, unless it says what it does. */
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
  /** As `tools/list` gives it. */
  listed: Tool;
  /** @throws ProtocolError -32602 that names the argument */
  call(service: Service, args: unknown, call: ToolCall): Promise<CallToolResult>;
}

export function defineTool<Input extends z.ZodType>(spec: ToolSpec<Input>): LukhasTool {
  const { name, title, toolset, description, effect } = spec;
  return {
    name,
    toolset,
    readOnly: effect === undefined,
    listed: {
      name,
      title,
      description,
      inputSchema: jsonSchema(spec.input, 'input'),
      outputSchema: jsonSchema(spec.output, 'output'),
      annotations: {
        readOnlyHint: effect === undefined,
        destructiveHint: effect?.destructive ?? false,
        idempotentHint: effect?.idempotent ?? true,
        openWorldHint: false,
      },
    },
    async call(service, args, call) {
      // Defaults are the parser's: a schema that is only advertised fills in nothing.
      const parsed = parseArguments(spec.input, args, name);
      try {
        const value = await spec.run(service, parsed, call);
        const text = spec.text?.(value) ?? JSON.stringify(value);
        return { content: [{ type: 'text', text }], structuredContent: value as Record<string, unknown> };
      } catch (error) {
        if (error instanceof LukhasError) return failed(error);
        throw error;
      }
    },
  };
}

function parseArguments<Input extends z.ZodType>(schema: Input, args: unknown, tool: string): z.output<Input> {
  try {
    return parseInput(schema, args, `arguments of ${tool}`, 'USAGE');
  } catch (error) {
    if (!(error instanceof LukhasError)) throw error;
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, error.message);
  }
}

/** The model that called reads this: what went wrong, and what to do. */
function failed({ code, message, suggestions }: LukhasError): CallToolResult {
  const text = [`${code}: ${message}`, ...suggestions.map((suggestion) => `- ${suggestion}`)].join('\n');
  return { content: [{ type: 'text', text }], isError: true };
}

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): Tool['inputSchema'] {
  // The dialect is the protocol's default; naming it in every schema costs the client tokens.
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, target: 'draft-2020-12' });
  return rest as Tool['inputSchema'];
}
