import { refused } from '../../formats/index.js';
import { DEFLATED, extraLength, isDescribed, isZip64, type Member, STORED, VERSION_ZIP64 } from './records.js';

/** Longer than any name in a pack. */
const MAX_NAME = 200;
/** Bytes that are the same character in every encoding that zips use. */
const ASCII = /^[\x21-\x7e]+$/;
/** Besides that of sizes after the data: names in UTF-8. */
const UTF8 = 0x0800;
/** How hard the writer tried; says nothing to a reader. */
const DEFLATE_EFFORT = 0x0006;
/** Version 1.0 for stored files, 2.0 for all. */
const VERSIONS = [10, 20];
/** The newest version of the format is 6.3. */
const LAST_VERSION = 63;
const [FAT, UNIX] = [0, 3];
const FILE_TYPE = 0o170000;
const REGULAR = 0o100000;
/** Set-user-id, set-group-id, sticky, and all three to execute: no file of a pack is a program. */
const STRANGE_MODE = 0o7111;
const OWNER_READS = 0o400;
/** MS-DOS attribute of a file that was not backed up. */
const ARCHIVE = 0x20;
/** Internal attribute: seems to be text. */
const TEXT = 1;

type Listed = Member & { readonly extraFieldRaw: Buffer; readonly fileCommentRaw: Buffer };

/** Refuses what some readers of zips obey, and others do not. @throws LukhasError VERIFICATION */
export function checkAttributes(member: Listed): void {
  const { fileName: name, generalPurposeBitFlag: flags, compressionMethod: method } = member;
  const refuse = (what: string) => refused(`zip: ${name} ${what}`);
  if (name.length > MAX_NAME) throw refused('zip: has a name that is too long');
  if (!ASCII.test(name) || !member.fileNameRaw.equals(Buffer.from(name, 'latin1'))) {
    throw refused(`zip: the name ${JSON.stringify(name)} can be read in two ways`);
  }
  if (member.extraFieldRaw.length !== extraLength(member)) throw refuse('has fields that packs do not have');
  if (member.fileCommentRaw.length > 0) throw refuse('has a comment');
  if ((flags & 1) !== 0) throw refuse('is encrypted');
  if (method !== STORED && method !== DEFLATED) throw refuse('uses a compression that packs do not use');
  const described = isDescribed(member);
  if (described && method === STORED) throw refuse('is stored with its size after it: its end can be read in two ways');
  if (isZip64(member) && !described) throw refuse('has its size of 64 bits at a place where packs do not have it');
  const known = UTF8 | 0x0008 | (method === DEFLATED ? DEFLATE_EFFORT : 0);
  if ((flags & ~known) !== 0) throw refuse('has flags that packs do not have');
  const versions = isZip64(member) ? [VERSION_ZIP64] : VERSIONS;
  if (!versions.includes(member.versionNeededToExtract)) throw refuse('needs a version of zip that packs do not need');
  checkMode(member, refuse);
}

function checkMode(member: Listed, refuse: (what: string) => Error): void {
  const [made, host] = [member.versionMadeBy & 0xff, member.versionMadeBy >>> 8];
  const mode = member.externalFileAttributes >>> 16;
  const type = mode & FILE_TYPE;
  if (type !== 0 && type !== REGULAR) throw refuse('is not a regular file');
  if (made > LAST_VERSION || (host !== UNIX && host !== FAT)) throw refuse('was made by a program that makes no packs');
  const dos = member.externalFileAttributes & 0xffff;
  const readable = (mode & STRANGE_MODE) === 0 && (mode & OWNER_READS) !== 0;
  if ((dos !== 0 && dos !== ARCHIVE) || (host === UNIX ? !readable : mode !== 0)) {
    throw refuse('has file attributes that packs do not have');
  }
  if ((member.internalFileAttributes & ~TEXT) !== 0) throw refuse('has internal attributes that packs do not have');
}
