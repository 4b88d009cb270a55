import { lookup } from 'node:dns/promises';
import type { Server } from 'node:http';
import { type AddressInfo, BlockList } from 'node:net';
import { LukhasError } from '../../lib/errors.js';

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/**
 * Resolves a host to its address.
 * @throws LukhasError LISTEN when it has none; CONFIG when other machines can reach it and there are no keys
 */
export async function addressToListenOn(host: string, hasKeys: boolean): Promise<string> {
  const { address, family } = await resolve(host);
  if (!hasKeys && !LOOPBACK.check(address, family === 6 ? 'ipv6' : 'ipv4'))
    throw new LukhasError(
      'CONFIG',
      `refusing to listen on ${host} without API keys: anyone could promote and abort canaries`,
      {
        suggestions: [
          'Set LUKHAS_MCP_API_KEYS to one or more keys, comma-separated. Create a key with: openssl rand -hex 32',
          'Or listen on 127.0.0.1, the default.',
        ],
      },
    );
  return address;
}

async function resolve(host: string): Promise<{ address: string; family: number }> {
  try {
    return await lookup(host);
  } catch (cause) {
    throw new LukhasError('LISTEN', `cannot listen on ${host}: no such host (${codeOf(cause)})`, { cause });
  }
}

/** @returns the port, also when 0 let the system choose one. @throws LukhasError LISTEN */
export function listen(server: Server, address: string, port: number): Promise<number> {
  return new Promise((done, reject) => {
    const refused = (error: NodeJS.ErrnoException): void => reject(whyNot(error, address, port));
    server.once('error', refused);
    server.listen(port, address, () => {
      server.off('error', refused);
      done((server.address() as AddressInfo).port);
    });
  });
}

function whyNot(error: NodeJS.ErrnoException, address: string, port: number): LukhasError {
  const place = hostPort(address, port);
  const { code = 'unknown' } = error;
  const [why, todo] = {
    EADDRINUSE: [
      'the port is in use, maybe by another lukhas serve',
      `Choose another port with --port, or see what uses it: lsof -i :${port}`,
    ],
    EACCES: ['no permission to use the port', 'Choose a port above 1023 with --port.'],
    EADDRNOTAVAIL: ['this machine does not have the address', 'Choose another address with --host.'],
  }[code] ?? [`refused by the system (${code})`, 'Choose another address or port with --host and --port.'];
  return new LukhasError('LISTEN', `cannot listen on ${place}: ${why}`, {
    suggestions: [todo as string],
    cause: error,
  });
}

/** As in a URL: an IPv6 address in brackets. */
export function hostPort(address: string, port: number): string {
  return `${address.includes(':') ? `[${address}]` : address}:${port}`;
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}
