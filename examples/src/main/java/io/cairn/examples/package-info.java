/** Small programs that use Cairn's Java API. Each runs in this module's tests. */
@NullMarked
package io.cairn.examples;

import org.jspecify.annotations.NullMarked;
