import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { LukhasError } from '../../../src/lib/errors.js';
import { httpCredentials } from '../../../src/lib/metrics/credentials.js';

function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    expect((error as LukhasError).code).to.equal('CONFIG');
    return (error as LukhasError).message;
  }
  return 'none';
}

describe('credentials of a source', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'lukhas-credentials-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const file = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };

  it('become headers', () => {
    expect(httpCredentials({})).to.deep.equal({ headers: {} });
    expect(httpCredentials({ bearer: 't0ken', headers: { 'X-Scope-OrgID': 'team-a' } }).headers).to.deep.equal({
      authorization: 'Bearer t0ken',
      'X-Scope-OrgID': 'team-a',
    });
    const pair = Buffer.from('ann:pä:ss').toString('base64');
    expect(httpCredentials({ basic: { username: 'ann', password: 'pä:ss' } }).headers).to.deep.equal({
      authorization: `Basic ${pair}`,
    });
  });

  it('are refused where they cannot be sent, without being shown', () => {
    expect(refusal(() => httpCredentials({ bearer: 'abc\ndef' })))
      .to.include('PROM_BEARER')
      .and.not.include('abc');
    expect(refusal(() => httpCredentials({ basic: { username: 'a:b', password: 'p' } }))).to.include('RFC 7617');
    expect(refusal(() => httpCredentials({ headers: { 'X-Key': 'abc\r\nHost: x' } })))
      .to.include('X-Key')
      .and.not.include('abc');
  });

  it('are read from PEM files, which say what is wrong with them', () => {
    const certificate = file('cert.pem', '-----BEGIN CERTIFICATE-----\n');
    const key = file('key.pem', '-----BEGIN EC PRIVATE KEY-----\n');
    expect(httpCredentials({ caFile: certificate, certFile: certificate, keyFile: key })).to.deep.equal({
      headers: {},
      ca: '-----BEGIN CERTIFICATE-----\n',
      cert: '-----BEGIN CERTIFICATE-----\n',
      key: '-----BEGIN EC PRIVATE KEY-----\n',
    });
    expect(refusal(() => httpCredentials({ caFile: key }))).to.match(/CA file .* holds no certificate/);
    expect(refusal(() => httpCredentials({ caFile: join(folder, 'none') }))).to.include('ENOENT');
    expect(refusal(() => httpCredentials({ certFile: certificate, keyFile: certificate }))).to.include(
      'no private key',
    );
    expect(refusal(() => httpCredentials({ certFile: certificate }))).to.include('certFile and keyFile');
  });
});
