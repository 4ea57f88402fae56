/**
 * Certificates for tests, written by hand in DER (X.690, RFC 5280) because Node reads certificates but makes
 * none, and because openssl is not on every machine.
 */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

export interface Certificate {
  readonly name: string;
  readonly key: KeyObject;
  readonly pem: string;
  readonly keyPem: string;
  /** SHA-256 of the certificate, hexadecimal without colons. */
  readonly fingerprint: string;
}

export interface CertificateRequest {
  /** Common name. */
  readonly name: string;
  /** Who signs it; itself where absent. */
  readonly issuer?: Pick<Certificate, 'name' | 'key'>;
  readonly isAuthority?: boolean;
  /** IPv4 address it is good for. */
  readonly address?: string;
}

/** Makes a certificate with a new key (P-256), good from yesterday for two days. */
export function makeCertificate({ name, issuer, isAuthority, address }: CertificateRequest): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signer = issuer ?? { name, key: privateKey };
  const day = 86_400_000;
  const body = sequence(
    tagged(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ECDSA_SHA256,
    distinguishedName(signer.name),
    sequence(utcTime(Date.now() - day), utcTime(Date.now() + day)),
    distinguishedName(name),
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(...extensions(isAuthority === true, address))),
  );
  const signature = sign('sha256', body, signer.key);
  const der = sequence(body, ECDSA_SHA256, tagged(0x03, Buffer.concat([Buffer.from([0]), signature])));
  return {
    name,
    key: privateKey,
    pem: `-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n-----END CERTIFICATE-----\n`,
    keyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    fingerprint: createHash('sha256').update(der).digest('hex'),
  };
}

function extensions(isAuthority: boolean, address: string | undefined): Buffer[] {
  const basic = isAuthority ? sequence(Buffer.from([0x01, 0x01, 0xff])) : sequence();
  const list = [extension([0x55, 0x1d, 0x13], basic)];
  if (address !== undefined) {
    const octets = Buffer.from(address.split('.').map(Number));
    list.push(extension([0x55, 0x1d, 0x11], sequence(tagged(0x87, octets))));
  }
  return list;
}

const extension = (oid: number[], value: Buffer): Buffer =>
  sequence(tagged(0x06, Buffer.from(oid)), tagged(0x04, value));

const distinguishedName = (name: string): Buffer =>
  sequence(
    tagged(0x31, sequence(tagged(0x06, Buffer.from([0x55, 0x04, 0x03])), tagged(0x0c, Buffer.from(name)))),
  );

const utcTime = (ms: number): Buffer =>
  tagged(0x17, Buffer.from(`${new Date(ms).toISOString().slice(2, 19).replaceAll(/[-:T]/g, '')}Z`));

const integer = (bytes: Buffer): Buffer => tagged(0x02, bytes);

const sequence = (...parts: Buffer[]): Buffer => tagged(0x30, Buffer.concat(parts));

function tagged(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const header =
    length < 128
      ? [tag, length]
      : length < 256
        ? [tag, 0x81, length]
        : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(header), content]);
}

const ECDSA_SHA256: Buffer = sequence(
  tagged(0x06, Buffer.from([0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02])),
);
