import {
  isJSONRPCNotification,
  isJSONRPCRequest,
  type JSONRPCNotification,
  type JSONRPCRequest,
  PROTOCOL_VERSION_META_KEY,
  ProtocolErrorCode,
  specTypeSchemas,
} from '@modelcontextprotocol/server';
import { LEGACY_VERSIONS, MODERN_VERSIONS } from './versions.js';

/** JSON-RPC 2.0, section 5.1. */
export const PARSE_ERROR = -32700;
export const INVALID_REQUEST = -32600;
const INVALID_PARAMS = -32602;
export const INTERNAL_ERROR = -32603;
/** The first of the codes that are left to the server. */
export const SERVER_ERROR = -32000;

const PUBLISHED = [...MODERN_VERSIONS, ...LEGACY_VERSIONS];

/** Deeper than any message of the protocol, and shallow enough for every function that recurses into it. */
export const DEEPEST = 100;

export type Id = string | number | null;

export interface ErrorAnswer {
  jsonrpc: '2.0';
  id: Id;
  error: { code: number; message: string; data?: unknown };
}

export type Message =
  | { kind: 'request'; message: JSONRPCRequest }
  | { kind: 'notification'; message: JSONRPCNotification }
  /** An answer to a request that a server without sessions never sends. */
  | { kind: 'response' }
  | { kind: 'invalid'; answer: ErrorAnswer };

export function errorAnswer(id: Id, code: number, message: string, data?: unknown): ErrorAnswer {
  return { jsonrpc: '2.0', id, error: { code, message, ...(data === undefined ? {} : { data }) } };
}

/** One parsed message, taken for what it is; members that JSON-RPC does not know are left out. */
export function readMessage(body: unknown): Message {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    return invalid(null, INVALID_REQUEST, 'Invalid Request: a message is an object.');
  const { jsonrpc, id, method, params } = body as Record<string, unknown>;
  const known = readableId(id);
  if (jsonrpc !== '2.0') return invalid(known, INVALID_REQUEST, 'Invalid Request: jsonrpc must be "2.0".');
  if (method === undefined && id !== undefined && ('result' in body || 'error' in body)) return { kind: 'response' };
  if (typeof method !== 'string') return invalid(known, INVALID_REQUEST, 'Invalid Request: method must be a text.');
  if (params !== undefined && (typeof params !== 'object' || params === null))
    return invalid(known, INVALID_REQUEST, 'Invalid Request: params must be an object.');
  if (isDeeper(params, DEEPEST))
    return invalid(known, INVALID_PARAMS, `Invalid params: they are nested more than ${DEEPEST} deep.`);
  const message = { jsonrpc, method, ...(params === undefined ? {} : { params: withArguments(method, params) }) };
  if (id === undefined) {
    if (isJSONRPCNotification(message)) return { kind: 'notification', message };
    return invalid(null, INVALID_PARAMS, 'Invalid params: they must be an object, and their _meta as MCP has it.');
  }
  // MCP, unlike JSON-RPC, has no request with the id null; one that does not fit a double could not be given back.
  if (known === null) return invalid(null, INVALID_REQUEST, 'Invalid Request: id must be a text or a whole number.');
  const request = { ...message, id: known };
  if (isJSONRPCRequest(request)) return { kind: 'request', message: request };
  return invalid(known, INVALID_PARAMS, 'Invalid params: they must be an object, and their _meta as MCP has it.');
}

/** The package would call the one its own mistake (-32603), and report the other in many lines. */
export function refusedParams(message: JSONRPCRequest): ErrorAnswer | null {
  const { InitializeRequest, CallToolRequest } = specTypeSchemas;
  if (message.method !== 'initialize' && message.method !== 'tools/call') return null;
  const schema = message.method === 'initialize' ? InitializeRequest : CallToolRequest;
  const checked = schema['~standard'].validate(message);
  if (checked instanceof Promise || checked.issues === undefined) return null;
  const [issue] = checked.issues;
  const path = issue?.path?.map((key) => (typeof key === 'object' ? key.key : key)).join('.');
  return errorAnswer(message.id, INVALID_PARAMS, `Invalid params: ${path}: ${issue?.message}`);
}

/**
 * The answer to a request that says itself that it is of a version in which there is none such; null: it does not.
 * @param supported over HTTP those that `server/discover` lists, as the protocol wants it (SEP-2575)
 */
export function refusedClaim(
  { id, params }: JSONRPCRequest,
  supported: readonly string[] = PUBLISHED,
): ErrorAnswer | null {
  const claimed: unknown = params?.['_meta']?.[PROTOCOL_VERSION_META_KEY];
  if (typeof claimed !== 'string' || MODERN_VERSIONS.includes(claimed)) return null;
  return unsupported(id, ProtocolErrorCode.UnsupportedProtocolVersion, claimed, supported);
}

/** With every published version: the package would name those alone that need no `initialize`. */
export function unsupported(
  id: Id,
  code: number,
  version: string,
  supported: readonly string[] = PUBLISHED,
): ErrorAnswer {
  const requested = version.slice(0, 80);
  return errorAnswer(id, code, `Unsupported protocol version: ${requested}`, { supported, requested });
}

/** Whether a notification is as the protocol has it. The package would report one that is not in many lines. */
export function isUnderstood(message: JSONRPCNotification): boolean {
  const { CancelledNotification, ProgressNotification, InitializedNotification, RootsListChangedNotification } =
    specTypeSchemas;
  const schemas = {
    'notifications/cancelled': CancelledNotification,
    'notifications/progress': ProgressNotification,
    'notifications/initialized': InitializedNotification,
    'notifications/roots/list_changed': RootsListChangedNotification,
  };
  if (!Object.hasOwn(schemas, message.method)) return true;
  const checked = schemas[message.method as keyof typeof schemas]['~standard'].validate(message);
  return checked instanceof Promise || checked.issues === undefined;
}

/** Does not recurse. */
export function isDeeper(value: unknown, most: number): boolean {
  let level = [value];
  for (let depth = 0; level.length > 0; depth++) {
    level = level
      .filter((one) => typeof one === 'object' && one !== null)
      .flatMap((one) => Object.values(one as object));
    if (depth === most) return level.length > 0;
  }
  return false;
}

/** Some clients send null for a tool without arguments. */
function withArguments(method: string, params: object): object {
  if (method !== 'tools/call' || !('arguments' in params) || params.arguments !== null) return params;
  const { arguments: _, ...rest } = params;
  return rest;
}

/** What may be given back as it came. */
export function readableId(id: unknown): string | number | null {
  return typeof id === 'string' || Number.isSafeInteger(id) ? (id as string | number) : null;
}

function invalid(id: Id, code: number, message: string): Message {
  return { kind: 'invalid', answer: errorAnswer(id, code, message) };
}
