/** Tests of the image tools. */
@NullMarked
package io.cairn.cli.image;

import org.jspecify.annotations.NullMarked;
