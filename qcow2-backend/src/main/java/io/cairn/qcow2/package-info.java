/**
 * A qcow2 engine in pure Java, and the storage backend over it.
 *
 * <p>{@link io.cairn.qcow2.Qcow2Image} is the entry: create, open, read, write, and change the
 * internal snapshots. The on-disk words are those of the format description (QEMU's {@code
 * docs/interop/qcow2.txt}): cluster, L1 table, L2 table, refcount table, refcount block, snapshot
 * table, header extension, backing file.
 *
 * <p>One rule holds the package together: <b>at every instant, power loss included, the image on
 * disk is valid for any qcow2 program.</b> The refcount on disk is never lower than the number of
 * references on disk; COPIED is never set on a shared cluster; nothing that is referenced is
 * overwritten in place by something else. What a crash can leave is leaked clusters, and COPIED
 * flags that are 0 where they could be 1.
 */
@NullMarked
package io.cairn.qcow2;

import org.jspecify.annotations.NullMarked;
