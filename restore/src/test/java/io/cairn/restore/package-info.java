/** Tests of restores, on storage in memory. */
@NullMarked
package io.cairn.restore;

import org.jspecify.annotations.NullMarked;
