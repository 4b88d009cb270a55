import {
  type CallToolResult,
  ProtocolError,
  ProtocolErrorCode,
  Server,
  type ServerContext,
} from '@modelcontextprotocol/server';
import * as z from 'zod';
import { LukhasError } from '../../lib/errors.js';
import { turn } from '../../lib/turns.js';
import type { Service } from '../service.js';
import { toolAdvice } from './advice.js';
import type { NewServer } from './endpoint.js';
import { answerPrompts } from './prompts.js';
import { answerResources } from './resources.js';
import { chooseTools, type ToolChoice } from './tools/catalogue.js';
import type { LukhasTool, ToolCall } from './tools/tool.js';
import { LEGACY_VERSIONS } from './versions.js';

export interface LukhasServerOptions extends ToolChoice {
  /** Version of lukhas, for `initialize`. */
  version: string;
  /** Where people reach the daemon, for links; by default what the client addressed. */
  publicUrl?: string | undefined;
  /** Internal errors, of which the client sees no details. */
  onError?: ((error: unknown) => void) | undefined;
}

const INSTRUCTIONS = `lukhas decides whether a model version may pass a gate. Start a canary, follow it with canary_status (waitSeconds up to 25), then call why. BLOCKED means not promoted, because there was not enough evidence that it is safe.`;

/** Cache hints for answers that are the same for everyone, and do not change while the process runs. */
const FIXED = { ttlMs: 3_600_000, cacheScope: 'public' } as const;

const page = z.looseObject({ cursor: z.string().optional() });
const call = z.looseObject({ name: z.string(), arguments: z.record(z.string(), z.unknown()).default({}) });

/** Returns a factory of MCP servers: one for each exchange or connection. */
export function createLukhasServer(service: Service, options: LukhasServerOptions): NewServer {
  const tools = chooseTools(options);
  const listed = { tools: tools.map((tool) => tool.listed) };
  const named = new Map(tools.map((tool) => [tool.name, tool]));
  const offered = new Set(named.keys());
  const advice = (text: string) => toolAdvice(text, offered);
  return ({ era, actor, origin }) => {
    const asked = { actor, base: options.publicUrl ?? origin ?? null, advice };
    const server = new Server(
      { name: 'lukhas', title: 'lukhas', version: options.version },
      {
        capabilities: {
          tools: {},
          prompts: {},
          completions: {},
          // Only where a stream can deliver updates: older clients have none without sessions.
          resources: era === 'modern' ? { subscribe: true, listChanged: true } : {},
        },
        instructions: INSTRUCTIONS,
        // The package would also accept drafts.
        supportedProtocolVersions: LEGACY_VERSIONS,
        cacheHints: {
          'tools/list': FIXED,
          'prompts/list': FIXED,
          'resources/templates/list': FIXED,
          'server/discover': FIXED,
        },
      },
    );
    server.onerror = (error) => options.onError?.(error);
    // With schemas, wrong parameters give -32602; without, they would give -32603.
    server.setRequestHandler('tools/list', { params: page }, () => listed);
    server.setRequestHandler('tools/call', { params: call }, ({ name, arguments: args }, ctx) => {
      const tool = named.get(name);
      if (tool !== undefined) return callTool(tool, service, args, asked, ctx, options);
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, unknownTool(name, [...named.keys()]));
    });
    answerResources(server, service);
    answerPrompts(server, service, advice);
    return server;
  };
}

function unknownTool(name: string, known: readonly string[]): string {
  return `Tool ${JSON.stringify(name.slice(0, 80))} not found on this server. Available: ${known.join(', ')}`;
}

async function callTool(
  tool: LukhasTool,
  service: Service,
  args: unknown,
  asked: Omit<ToolCall, 'signal' | 'onProgress'>,
  ctx: ServerContext,
  { onError }: LukhasServerOptions,
): Promise<CallToolResult> {
  const progressToken = ctx.mcpReq._meta?.progressToken;
  const onProgress =
    progressToken === undefined
      ? undefined
      : ({ elapsed, total, message }: { elapsed: number; total: number; message: string }) => {
          const params = { progressToken, progress: elapsed, total, message };
          ctx.mcpReq.notify({ method: 'notifications/progress', params }).catch((error) => onError?.(error));
        };
  return withoutDetails(() => tool.call(service, args, { ...asked, signal: ctx.mcpReq.signal, onProgress }), onError);
}

/** Replaces internal errors by one without details: their text may contain paths and internals. */
export async function withoutDetails<T>(work: () => Promise<T>, onError?: (error: unknown) => void): Promise<T> {
  // What is read comes back within a turn of the event loop: the requests that have come together would all be answered in one.
  await turn();
  try {
    return await work();
  } catch (error) {
    if (error instanceof ProtocolError || error instanceof LukhasError) throw error;
    onError?.(error);
    throw new ProtocolError(ProtocolErrorCode.InternalError, "Internal error; see the daemon's standard error.");
  }
}
