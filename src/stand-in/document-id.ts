/**
 * Ids that Elasticsearch gives to documents: 20 characters of URL-safe base64, growing with time so
 * that they sort by creation (general knowledge of Elasticsearch: `TimeBasedUUIDGenerator`).
 */
import { randomBytes } from 'node:crypto';

let sequence = randomBytes(3).readUIntBE(0, 3);
const machine = randomBytes(6);

/** A new id, unlike every other of this process and, in all likelihood, of any other. */
export function newDocumentId(): string {
  sequence = (sequence + 1) & 0xffffff;
  const bytes = Buffer.alloc(15);
  bytes.writeUIntBE(Date.now(), 0, 6);
  machine.copy(bytes, 6);
  bytes.writeUIntBE(sequence, 12, 3);
  return bytes.toString('base64url');
}
