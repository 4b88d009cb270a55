import {
  type CallToolResult,
  ProtocolError,
  ProtocolErrorCode,
  Server,
  type ServerContext,
} from '@modelcontextprotocol/server';
import * as z from 'zod';
import { LukhasError } from '../../lib/errors.js';
import type { Actor } from '../../lib/ledger/index.js';
import type { Service } from '../service.js';
import type { NewServer } from './endpoint.js';
import { answerPrompts } from './prompts.js';
import { answerResources } from './resources.js';
import { chooseTools, type ToolChoice } from './tools/catalogue.js';
import type { LukhasTool } from './tools/tool.js';
import { LEGACY_VERSIONS } from './versions.js';

export interface LukhasServerOptions extends ToolChoice {
  /** Of the product, as `initialize` tells it. */
  version: string;
  /** Faults of the program: the client is only told that there was one. */
  onError?: ((error: unknown) => void) | undefined;
}

const INSTRUCTIONS = `lukhas decides whether a model version may pass a gate. Start a canary, follow it with canary_status (waitSeconds up to 25), then ask why. BLOCKED means not promoted because nothing proved it safe.`;

/** What does not change while the process lives, and is the same for everybody. */
const FIXED = { ttlMs: 3_600_000, cacheScope: 'public' } as const;

const page = z.looseObject({ cursor: z.string().optional() });
const call = z.looseObject({ name: z.string(), arguments: z.record(z.string(), z.unknown()).default({}) });

/** The MCP server of the product: each call makes one for one exchange or one connection. */
export function createLukhasServer(service: Service, options: LukhasServerOptions): NewServer {
  const tools = chooseTools(options);
  const listed = { tools: tools.map((tool) => tool.listed) };
  const named = new Map(tools.map((tool) => [tool.name, tool]));
  return ({ era, actor }) => {
    const server = new Server(
      { name: 'lukhas', title: 'lukhas', version: options.version },
      {
        capabilities: {
          tools: {},
          prompts: {},
          completions: {},
          // Only where a stream can carry it: without sessions an older client has none.
          resources: era === 'modern' ? { subscribe: true, listChanged: true } : {},
        },
        instructions: INSTRUCTIONS,
        // The package would also take drafts.
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
    // Schemas are given with the handlers so that wrong parameters are -32602; without, they would be -32603.
    server.setRequestHandler('tools/list', { params: page }, () => listed);
    server.setRequestHandler('tools/call', { params: call }, ({ name, arguments: args }, ctx) => {
      const tool = named.get(name);
      if (tool !== undefined) return callTool(tool, service, args, actor, ctx, options);
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, unknownTool(name, [...named.keys()]));
    });
    answerResources(server, service);
    answerPrompts(server, service);
    return server;
  };
}

function unknownTool(name: string, known: readonly string[]): string {
  return `There is no tool ${JSON.stringify(name.slice(0, 80))} on this server. There are: ${known.join(', ')}`;
}

async function callTool(
  tool: LukhasTool,
  service: Service,
  args: unknown,
  actor: Actor,
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
  return told(() => tool.call(service, args, { actor, signal: ctx.mcpReq.signal, onProgress }), onError);
}

/** What is told of a fault: that there was one. Its text may name paths and internals. */
export async function told<T>(work: () => Promise<T>, onError?: (error: unknown) => void): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ProtocolError || error instanceof LukhasError) throw error;
    onError?.(error);
    throw new ProtocolError(ProtocolErrorCode.InternalError, 'Internal error: the log of the daemon says more.');
  }
}
