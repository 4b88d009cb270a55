import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { LukhasError } from '../../../src/lib/errors.js';
import { toOpenSsh } from '../../../src/lib/evidence/formats/public-key.js';
import { signSsh } from '../../../src/lib/evidence/formats/sshsig.js';
import { packSigners } from '../../../src/lib/evidence/keys/authority.js';
import { parseTrustedKeys } from '../../../src/lib/evidence/keys/trust.js';
import { ALICE, BOB } from '../../lib/evidence/signers.js';

const KEY = toOpenSsh(ALICE.publicKey, 'lukhas-export');
const OTHER = toOpenSsh(BOB.publicKey, '');
const BLOB = KEY.split(' ')[1]!;
/** 2026-07-01T12:00:00Z: in many places, summer time. */
const NOW = Date.UTC(2026, 6, 1, 12);

/** Lines, and whether they admit the key at this time; null: with the local time of the zone it depends on. */
const PRINCIPALS: [line: string, admits: boolean][] = [
  [`lukhas-export ${KEY}`, true],
  [`lukhas-export ssh-ed25519 ${BLOB}`, true],
  [`lukhas-export ssh-ed25519 ${BLOB} a comment, with "quotes`, true],
  [`lukhas-export\tssh-ed25519\t${BLOB}\tcomment`, true],
  [`  \t lukhas-export   ${KEY}`, true],
  [`lukhas-export ssh-ed25519   ${BLOB}`, true],
  [`lukhas-export ${KEY}\r`, true],
  [`lukhas-export ssh-ed25519 ${BLOB}\r`, true],
  [`alice ${KEY}`, false],
  [`alice,lukhas-export ${KEY}`, true],
  [`lukhas-export,alice ${KEY}`, true],
  [`alice, lukhas-export ${KEY}`, false],
  [`lukhas-export, ${KEY}`, true],
  [`,lukhas-export ${KEY}`, true],
  [`Lukhas-Export ${KEY}`, false],
  [`lukhas-exports ${KEY}`, false],
  [`lukhas-expor ${KEY}`, false],
  [`* ${KEY}`, true],
  [`lukhas-* ${KEY}`, true],
  [`*-export ${KEY}`, true],
  [`*kh*ex*t ${KEY}`, true],
  [`*kh*xx*t ${KEY}`, false],
  [`lukhas?export ${KEY}`, true],
  [`lukhas-export? ${KEY}`, false],
  [`lukhas-export* ${KEY}`, true],
  [`?????????????* ${KEY}`, true],
  [`??????????????* ${KEY}`, false],
  [`!lukhas-export ${KEY}`, false],
  [`*,!lukhas-export ${KEY}`, false],
  [`!lukhas-export,* ${KEY}`, false],
  [`!alice,* ${KEY}`, true],
  [`!alice ${KEY}`, false],
  [`lukhas-export,!lukhas-* ${KEY}`, false],
  [`!!lukhas-export,lukhas-export ${KEY}`, true],
  [`"lukhas-export" ${KEY}`, true],
  [`"lukhas-export"${KEY}`, true],
  [`lukhas-"export" ${KEY}`, true],
  [`"lukhas-export ${KEY}`, false],
  [`"alice lukhas-export" ${KEY}`, false],
  [`# lukhas-export ${KEY}`, false],
  [`lukhas-export`, false],
  [`lukhas-export ${BLOB}`, false],
  [`lukhas-export ${OTHER}`, false],
  [`lukhas-export ssh-ed25519 ${BLOB.slice(0, -4)}`, false],
  [`lukhas-export ssh-ed25519`, false],
  [`lukhas-export ED25519 ${BLOB}`, false],
  [`lukhas-export ssh-rsa ${BLOB}`, false],
  [`lukhas-export ecdsa-sha2-nistp256 ${BLOB}`, false],
  [`ssh-ed25519 ssh-ed25519 ${BLOB}`, false],
  [`lukhas-export+585f8f53+${BLOB} ${KEY}`, false],
  [`\u00a0lukhas-export ${KEY}`, false],
  [`\ufefflukhas-export ${KEY}`, false],
  [`lukhas-export ssh-ed25519 ${BLOB}\u00a0comment`, false],
  [`lukhas-export ssh-ed25519 ${BLOB} com\u2028ment\r more`, true],
  [`alice cert-authority ${KEY}\nlukhas-export ${KEY}`, true],
  [`alice nonsense\nbob ${OTHER}\nlukhas-export ${KEY}`, true],
  [`lukhas-export namespaces="git" ${KEY}\n* ${KEY}`, true],
];

const OPTIONS: [options: string, admits: boolean][] = [
  ['namespaces="lukhas-evidence"', true],
  ['namespaces="git"', false],
  ['namespaces="git,lukhas-evidence"', true],
  ['namespaces="git, lukhas-evidence"', false],
  ['namespaces="lukhas-*"', true],
  ['namespaces="lukhas?evidence"', true],
  ['namespaces="*,!lukhas-evidence"', false],
  ['namespaces="!git,*"', true],
  ['namespaces="Lukhas-Evidence"', false],
  ['namespaces=""', false],
  ['NAMESPACES="lukhas-evidence"', true],
  ['Namespaces="git"', false],
  ['namespaces=lukhas-evidence', false],
  ['namespaces="lukhas-evidence', false],
  ['namespaces="lukhas-evidence"x', false],
  ['namespaces = "lukhas-evidence"', false],
  ['namespaces', false],
  ['namespaces="a\\"b,lukhas-evidence"', true],
  ['namespaces="lukhas-evidence\\"', false],
  ['namespaces="lukhas-evidence\\"" ', false],
  ['namespaces="a b,lukhas-evidence"', true],
  ['namespaces="lukhas-evidence",namespaces="lukhas-evidence"', false],
  ['namespaces="lukhas-evidence",', false],
  [',namespaces="lukhas-evidence"', true],
  [',namespaces="git"', false],
  [',', false],
  ['namespaces="lukhas-evidence",,valid-before="20300101"', true],
  ['namespaces="lukhas-evidence",,valid-before="20200101"', false],
  ['namespaces="lukhas-evidence",valid-after="20200101",valid-before="20300101"', true],
  ['namespaces="lukhas-evidence", valid-before="20200101"', false],
  ['valid-before="20200101" namespaces="lukhas-evidence"', false],
  ['cert-authority', false],
  ['CERT-AUTHORITY', false],
  ['cert-authority,namespaces="lukhas-evidence"', false],
  ['namespaces="lukhas-evidence",cert-authority', false],
  ['no-touch-required', false],
  ['namespace="lukhas-evidence"', false],
  ['valid="20300101"', false],
  ['from="*"', false],
  ['x', false],
  ['valid-after="20200101"', true],
  ['valid-after="20260701Z"', true],
  ['valid-after="20260702Z"', false],
  ['valid-after="202607011200Z"', true],
  ['valid-after="202607011201Z"', false],
  ['valid-after="20260701120000Z"', true],
  ['valid-after="20260701120001Z"', false],
  ['valid-before="20260701120000Z"', true],
  ['valid-before="20260701115959Z"', false],
  ['valid-before="202607011200z"', true],
  ['valid-before="202607011159z"', false],
  ['valid-before="20260630"', false],
  ['valid-before="20260703"', true],
  ['VALID-BEFORE="20260630"', false],
  ['valid-before=20300101', false],
  ['valid-before="2030"', false],
  ['valid-before="203001011"', false],
  ['valid-before="20301301Z"', false],
  ['valid-before="20300001Z"', false],
  ['valid-before="20300100Z"', false],
  ['valid-before="20300132Z"', false],
  ['valid-before="20300231Z"', true],
  ['valid-before="203001012400Z"', false],
  ['valid-before="203001012360Z"', false],
  ['valid-before="20300101235961Z"', true],
  ['valid-before="20300101235962Z"', false],
  ['valid-before="2030-01-01"', false],
  ['valid-before="20300101UTC"', true],
  ['valid-before="20260701120000utc"', true],
  ['valid-before="20260701115959utc"', false],
  ['valid-before="20300101+00"', false],
  ['valid-after="19700101Z"', false],
  ['valid-after="19700102Z"', true],
  ['valid-after="19690101Z"', false],
  ['valid-after="00010101Z"', false],
  ['valid-before="99991231Z"', true],
  ['valid-after="20200101Z",valid-before="20200101Z"', false],
  ['valid-after="20300101Z",valid-before="20200101Z"', false],
  ['valid-after="20200101Z",valid-after="20200101Z"', false],
  ['valid-before="20300101Z",valid-before="20300101Z"', false],
];

describe('lines of allowed_signers, compared with ssh-keygen', () => {
  let dir: string;
  const zone = process.env['TZ'];
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'lukhas-allowed-'));
    writeFileSync(join(dir, 'SUMS.sig'), signSsh(Buffer.from('sums'), ALICE));
  });
  after(() => {
    rmSync(dir, { recursive: true, force: true });
    setZone(zone);
  });

  /** Whether ssh-keygen accepts the signature at this time. */
  const sshKeygen = (text: string, now: number): boolean => {
    writeFileSync(join(dir, 'signers'), `${text}\n`);
    const time = new Date(now).toISOString().replace(/\.\d+|[-:T]/g, '');
    const args = ['-f', 'signers', '-I', 'lukhas-export', '-n', 'lukhas-evidence', '-s', 'SUMS.sig'];
    const { status, error } = spawnSync('ssh-keygen', ['-Y', 'verify', ...args, `-Overify-time=${time}`], {
      cwd: dir,
      input: 'sums',
      encoding: 'utf8',
    });
    if (error) throw error;
    return status === 0;
  };
  const agree = (text: string, admits: boolean | null, now = NOW) => {
    const ours = admitted(text, now);
    expect(sshKeygen(text, now), `ssh-keygen: ${JSON.stringify(text)}`).to.equal(admits ?? ours);
    expect(ours, `lukhas: ${JSON.stringify(text)}`).to.equal(admits ?? ours);
  };

  it('admit the principals that it admits', () => {
    for (const [line, admits] of PRINCIPALS) agree(line, admits);
  });

  it('admit a key under the options that it knows', () => {
    for (const [options, admits] of OPTIONS) agree(`lukhas-export ${options} ${KEY}`, admits);
    for (const options of ['  namespaces="lukhas-evidence"  ', '\tnamespaces="lukhas-evidence"\t'])
      agree(`lukhas-export${options}${KEY}`, true);
  });

  it('have local times in the zone of whoever verifies, also in summer', function () {
    this.timeout(60_000);
    let [yes, no] = [0, 0];
    for (const tz of ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Australia/Sydney']) {
      setZone(tz);
      for (const day of [Date.UTC(2026, 0, 15), Date.UTC(2026, 6, 15)]) {
        for (const hours of [-14, -10, -6, -5, -4, -2, -1, 0, 1, 2, 4, 5, 6, 10, 14]) {
          const now = day + hours * 3_600_000;
          const date = new Date(day).toISOString().slice(0, 10).replaceAll('-', '');
          for (const option of [`valid-after="${date}"`, `valid-before="${date}"`]) {
            const line = `lukhas-export ${option} ${KEY}`;
            agree(line, null, now);
            if (admitted(line, now)) yes++;
            else no++;
          }
        }
      }
    }
    expect(yes).to.be.above(50);
    expect(no).to.be.above(50);
  });

  it('are not needed: a key alone stays a trusted key, of which ssh-keygen knows nothing', () => {
    for (const line of [KEY, `ssh-ed25519 ${BLOB}`]) {
      expect(admitted(line, NOW)).to.equal(true);
      expect(sshKeygen(line, NOW)).to.equal(false);
    }
  });
});

function admitted(text: string, now: number): boolean {
  try {
    return packSigners(parseTrustedKeys(`${text}\n`, 'signers', now)).some((key) => key.equals(ALICE.publicKey));
  } catch (error) {
    if (error instanceof LukhasError) return false;
    throw error;
  }
}

function setZone(zone: string | undefined): void {
  if (zone === undefined) delete process.env['TZ'];
  else process.env['TZ'] = zone;
}
