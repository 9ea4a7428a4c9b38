/**
 * What the store keeps beside its catalog: a manifest for each guest and checkpoint, from which a
 * lost catalog is made anew, and the audit log as a file.
 *
 * <p>The catalog is the truth; these files follow it after each commit, and the catalog notes which
 * of them are still due, so that the next writer catches up after a crash.
 */
@NullMarked
package io.cairn.checkpoint.files;

import org.jspecify.annotations.NullMarked;
