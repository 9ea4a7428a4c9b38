/**
 * The JSON forms of what Cairn keeps: in the journal, in manifests and in the audit log.
 *
 * <p>They are written out field by field, so that renaming a Java member never changes a format.
 * Readers ignore fields they do not know and refuse formats with a higher number than they know.
 */
@NullMarked
package io.cairn.checkpoint.json;

import org.jspecify.annotations.NullMarked;
