/**
 * The memory of guests, stored page by page. {@link io.cairn.checkpoint.memory.MemoryImages} is the
 * entry; docs/formats/memory-image.md describes the files byte by byte.
 *
 * <p>Two kinds of files: a <i>pack</i> holds compressed pages and an index of them, a <i>map</i>
 * holds one image: for each page of the guest where it is stored, and what a hypervisor needs
 * besides. Images share pages by naming the same place of the same pack. An image's map is
 * complete, so that nothing is ever looked up through its parent.
 *
 * <p>The invariant that holds it together: a map is only on stable storage while everything that it
 * names is. So a map is written after its packs and removed before them, and what no map names is
 * nobody's. A pack is never changed, but may be replaced by one that lacks what no map names;
 * places in packs are numbers that stay valid then. One writer at a time, under the guest's lock,
 * and any number of readers.
 */
@NullMarked
package io.cairn.checkpoint.memory;

import org.jspecify.annotations.NullMarked;
