import { readFileSync } from 'node:fs';
import { LukhasError } from '../errors.js';
import type { SourceAuth } from './source.js';

/** What a request needs of a source's credentials. */
export interface HttpCredentials {
  headers: Record<string, string>;
  /** PEM texts. */
  ca?: string;
  cert?: string;
  key?: string;
}

/**
 * Reads the files that credentials name, and writes their headers.
 * @throws LukhasError CONFIG for what cannot be read or sent; no message holds a secret
 */
export function httpCredentials(auth: SourceAuth): HttpCredentials {
  const { caFile, certFile, keyFile } = auth;
  if ((certFile === undefined) !== (keyFile === undefined))
    throw new LukhasError('CONFIG', 'a client certificate needs its key: give certFile and keyFile');
  return {
    headers: { ...ownHeaders(auth), ...authorization(auth) },
    ...(caFile === undefined ? {} : { ca: pem('CA file', caFile, 'CERTIFICATE') }),
    ...(certFile === undefined ? {} : { cert: pem('client certificate', certFile, 'CERTIFICATE') }),
    ...(keyFile === undefined ? {} : { key: pem('key of the client certificate', keyFile, 'PRIVATE KEY') }),
  };
}

function authorization({ bearer, basic }: SourceAuth): Record<string, string> {
  if (bearer !== undefined) {
    if (!/^[\x21-\x7e]+$/.test(bearer))
      throw new LukhasError(
        'CONFIG',
        'the bearer token (PROM_BEARER, or source.bearerEnv) holds a space, a line break or a non-ASCII character: give the bare token',
      );
    return { authorization: `Bearer ${bearer}` };
  }
  if (basic === undefined) return {};
  if (basic.username.includes(':'))
    throw new LukhasError(
      'CONFIG',
      'the user name (PROM_USERNAME, or source.basic.usernameEnv) holds a colon, which basic authentication cannot send (RFC 7617)',
    );
  const pair = Buffer.from(`${basic.username}:${basic.password}`, 'utf8').toString('base64');
  return { authorization: `Basic ${pair}` };
}

function ownHeaders({ headers = {} }: SourceAuth): Record<string, string> {
  for (const [name, value] of Object.entries(headers))
    if (!/^[\x20-\x7e\t]*$/.test(value))
      throw new LukhasError('CONFIG', `the value for the header ${name} holds a line break or a non-ASCII character`);
  return headers;
}

function pem(what: string, file: string, label: 'CERTIFICATE' | 'PRIVATE KEY'): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new LukhasError('CONFIG', `${what} ${file} cannot be read (${code}): give a PEM file`, { cause });
  }
  if (new RegExp(`-----BEGIN ([A-Z]+ )?${label}-----`).test(text)) return text;
  const lacks = label === 'CERTIFICATE' ? 'no certificate' : 'no private key without a passphrase';
  throw new LukhasError('CONFIG', `${what} ${file} holds ${lacks}: give a PEM file`);
}
