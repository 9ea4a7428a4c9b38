/** Tests of guest drivers. */
@NullMarked
package io.cairn.guest;

import org.jspecify.annotations.NullMarked;
