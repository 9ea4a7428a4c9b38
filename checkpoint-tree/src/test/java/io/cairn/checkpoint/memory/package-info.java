/** Tests of the memory images. */
@NullMarked
package io.cairn.checkpoint.memory;

import org.jspecify.annotations.NullMarked;
