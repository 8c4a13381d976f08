# hard.pl - what Sisimai makes of each message: file, recipient, reason, hard.
use strict;
use warnings;
use Sisimai;

for my $path (@ARGV) {
	my $found = eval { Sisimai->make($path) } || [];
	(my $name = $path) =~ s{.*/}{};
	my $n = 0;
	for my $one (@$found) {
		print join("\t", $name, ++$n, $one->reason,
		    $one->softbounce == 0 ? 1 : 0), "\n";
	}
}
