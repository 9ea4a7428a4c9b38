/**
 * The write-ahead journal: running a transaction, taking it back, and bringing an interrupted one
 * to its end.
 *
 * <p>States of a transaction, each entered by one SQLite transaction:
 *
 * <pre>
 *   PREPARING --commit point--&gt; COMMITTED --clean-up done--&gt; DONE
 *       |
 *       +-- taken back --&gt; ABORTED
 * </pre>
 *
 * <p>The journal row with all its steps is durable before the first step touches storage. A step is
 * marked as started before the backend is called and as done after it returned. While PREPARING the
 * way is back: every step that was started is aborted, last first. The commit point marks the
 * transaction COMMITTED and changes the catalog together. From then on the way is forward: the
 * remaining steps are repeated until they are done.
 */
@NullMarked
package io.cairn.checkpoint.transaction;

import org.jspecify.annotations.NullMarked;
