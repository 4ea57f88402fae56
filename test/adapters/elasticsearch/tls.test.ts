import { createServer } from 'node:https';
import { describe, expect, test } from 'vitest';
import { makeCertificate } from './certificates.ts';
import { connect, listen, never, PRODUCT, UPDATED } from './support.ts';

const authority = makeCertificate({ name: 'authority', isAuthority: true });
const node = makeCertificate({ name: 'node', issuer: authority, address: '127.0.0.1' });
/** Has the authority's name, and another key. */
const impostor = makeCertificate({ name: 'authority', isAuthority: true });
const forged = makeCertificate({ name: 'node', issuer: impostor, address: '127.0.0.1' });
const elsewhere = makeCertificate({ name: 'node', issuer: authority, address: '10.9.8.7' });
const alone = makeCertificate({ name: 'alone', address: '127.0.0.1' });
const stranger = makeCertificate({ name: 'stranger', isAuthority: true });
/** Signed by a certificate that may not sign. */
const byNode = makeCertificate({ name: 'guest', issuer: node, address: '127.0.0.1' });

async function tlsServer(...chain: { pem: string; keyPem: string }[]): Promise<string> {
  const cert = chain.map(({ pem }) => pem).join('');
  const server = createServer({ key: chain[0]?.keyPem ?? '', cert }, (request, response) => {
    request.resume();
    response.writeHead(200, PRODUCT).end(UPDATED);
  });
  return `https://127.0.0.1:${await listen(server)}`;
}

const colons = (fingerprint: string): string => fingerprint.toUpperCase().replaceAll(/..(?!$)/g, '$&:');

describe('a server is trusted', () => {
  test.each([
    ['its authority is given', [node, authority], { ca: authority.pem }],
    ['its authority is one of several', [node], { ca: stranger.pem + authority.pem }],
    ['its authority is pinned', [node, authority], { caFingerprint: authority.fingerprint }],
    ['the fingerprint has colons', [node, authority], { caFingerprint: colons(authority.fingerprint) }],
    ['its own certificate is pinned', [node, authority], { caFingerprint: node.fingerprint }],
    [
      'its own certificate is pinned and signed by nobody else',
      [alone],
      { caFingerprint: alone.fingerprint },
    ],
    [
      'the pinned authority vouches for another name',
      [elsewhere, authority],
      { caFingerprint: authority.fingerprint },
    ],
    [
      'its authority is given and pinned',
      [node, authority],
      { ca: authority.pem, caFingerprint: authority.fingerprint },
    ],
  ])('where %s', async (_name, chain, options) => {
    const connection = connect(await tlsServer(...chain), options);
    expect(await connection.setSyncJobError('job-1', 'x', never)).toMatchObject({
      kind: 'response',
      status: 200,
    });
  });
});

describe('a server is refused, before anything is sent,', () => {
  const pinned = { caFingerprint: authority.fingerprint };
  test.each([
    ['where nothing vouches for its authority', [node, authority], {}],
    ['where another authority is given', [node, authority], { ca: impostor.pem }],
    ['where it vouches for another name', [elsewhere, authority], { ca: authority.pem }],
    ['where another certificate is pinned', [node, authority], { caFingerprint: impostor.fingerprint }],
    ['where the pinned authority only lends its certificate', [forged, authority], pinned],
    ['where the pinned certificate comes beside its own', [alone, authority], pinned],
    ['where the pinned certificate may not sign others', [byNode, node], { caFingerprint: node.fingerprint }],
    ['where it does not send the pinned authority', [node], pinned],
    [
      'where its authority is given and another pinned',
      [node, authority],
      { ca: authority.pem, caFingerprint: forged.fingerprint },
    ],
    [
      'where the name is another although the authority is pinned too',
      [elsewhere, authority],
      { ca: authority.pem, ...pinned },
    ],
  ])('%s', async (_name, chain, options) => {
    const connection = connect(await tlsServer(...chain), options);
    // Twice: no memory of the first handshake may let the second one pass.
    for (let i = 0; i < 2; i += 1) {
      expect(await connection.setSyncJobError('job-1', 'x', never)).toEqual({
        kind: 'not-sent',
        cause: 'tls',
        type: expect.stringMatching(/^[A-Z_]+$/),
        reason: expect.any(String),
      });
    }
  });
});
