import type { IncomingMessage } from 'node:http';
import { PROTOCOL_VERSION_META_KEY } from '@modelcontextprotocol/server';
import { type ErrorAnswer, type Message, SERVER_ERROR, unsupported } from './jsonrpc.js';
import { LEGACY_VERSIONS, MODERN_VERSIONS } from './versions.js';

export function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

/** Those that the package compares with the message. */
export function standardHeaders(request: IncomingMessage, message: Message) {
  // The package takes any later text for a version without `initialize`.
  const version = negotiates(message) && !isPublished(request) ? undefined : header(request, 'mcp-protocol-version');
  const method = header(request, 'mcp-method');
  const name = header(request, 'mcp-name');
  return {
    ...(version === undefined ? {} : { protocolVersionHeader: version }),
    ...(method === undefined ? {} : { mcpMethodHeader: method }),
    ...(name === undefined ? {} : { mcpNameHeader: name }),
  };
}

/** Must be named explicitly: clients that send a wildcard do not expect a stream. */
export function acceptsStream(request: IncomingMessage): boolean {
  return header(request, 'accept')?.toLowerCase().includes('text/event-stream') ?? false;
}

/** Null when the header names a published version or none, or when the message itself says which version it is of. */
export function refusedVersion(request: IncomingMessage, message: Message | null): ErrorAnswer | null {
  if (isPublished(request) || (message !== null && (negotiates(message) || namesVersion(message)))) return null;
  const id = message?.kind === 'request' ? message.message.id : null;
  return unsupported(id, SERVER_ERROR, header(request, 'mcp-protocol-version') ?? '');
}

function isPublished(request: IncomingMessage): boolean {
  const version = header(request, 'mcp-protocol-version');
  return version === undefined || LEGACY_VERSIONS.includes(version) || MODERN_VERSIONS.includes(version);
}

/** With `initialize`, the version is the one of its answer. */
function negotiates(message: Message): boolean {
  return message.kind === 'request' && message.message.method === 'initialize' && !namesVersion(message);
}

function namesVersion(message: Message): boolean {
  if (message.kind !== 'request' && message.kind !== 'notification') return false;
  return message.message.params?.['_meta']?.[PROTOCOL_VERSION_META_KEY] !== undefined;
}
