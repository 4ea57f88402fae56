/** Everything the stand-in remembers: one in-memory cluster. */
import { type Clock, systemClock } from '../clock.ts';
import { newDocumentId } from '../document-id.ts';
import { DocumentIndex } from '../document-index.ts';
import { Security, type SecurityOptions } from '../security/security.ts';
import { SceneWriter } from '../sync-jobs/scene.ts';
import { type VersionTraits, versionTraits } from '../version.ts';

/** State shared by all requests. */
export class Cluster {
  readonly version: VersionTraits;
  readonly clock: Clock = systemClock();
  readonly uuid: string = newDocumentId();
  readonly syncJobs: DocumentIndex = new DocumentIndex('.elastic-connectors-sync-jobs-v1');
  readonly connectors: DocumentIndex = new DocumentIndex('.elastic-connectors-v1');
  readonly secrets: DocumentIndex = new DocumentIndex('.connector-secrets-1');
  readonly security: Security | undefined;
  /** Puts sync jobs in place without the API. */
  readonly scene: SceneWriter;

  /**
   * @param elasticsearchVersion - `major.minor.patch`.
   * @param security - Users and keys; undefined switches security off.
   */
  constructor(elasticsearchVersion: string, security: SecurityOptions | undefined) {
    this.version = versionTraits(elasticsearchVersion);
    this.security = security === undefined ? undefined : new Security(security, this.version);
    this.scene = new SceneWriter(this.syncJobs, this.clock);
  }

  /** Forgets every document; users and keys stay. */
  reset(): void {
    this.syncJobs.clear();
    this.connectors.clear();
    this.secrets.clear();
  }
}
