import { lookup } from 'node:dns/promises';
import type { Server } from 'node:http';
import { type AddressInfo, BlockList } from 'node:net';
import { LukhasError } from '../../lib/errors.js';

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/**
 * The address that a host stands for.
 * @throws LukhasError LISTEN when there is none; CONFIG when it can be reached from elsewhere and there are no keys
 */
export async function addressToListenOn(host: string, hasKeys: boolean): Promise<string> {
  const { address, family } = await resolve(host);
  if (!hasKeys && !LOOPBACK.check(address, family === 6 ? 'ipv6' : 'ipv4'))
    throw new LukhasError(
      'CONFIG',
      `will not listen on ${host} without keys: others could promote and abort canaries`,
      {
        suggestions: [
          'Set LUKHAS_MCP_API_KEYS to one key or several, comma-separated, e.g. from: openssl rand -hex 32',
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

/** @returns the port, also where 0 let the system choose. @throws LukhasError LISTEN */
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
      `Choose another port with --port, or see who has it: lsof -i :${port}`,
    ],
    EACCES: ['this user may not use the port', 'Choose a port above 1023 with --port.'],
    EADDRNOTAVAIL: ['this machine does not have the address', 'Choose another address with --host.'],
  }[code] ?? [`the system refuses (${code})`, 'Choose another address or port with --host and --port.'];
  return new LukhasError('LISTEN', `cannot listen on ${place}: ${why}`, {
    suggestions: [todo as string],
    cause: error,
  });
}

/** As a URL has them: an IPv6 address in brackets. */
export function hostPort(address: string, port: number): string {
  return `${address.includes(':') ? `[${address}]` : address}:${port}`;
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}
