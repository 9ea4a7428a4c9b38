@NullMarked
package io.cairn.guest.bhyve.control;

import org.jspecify.annotations.NullMarked;
