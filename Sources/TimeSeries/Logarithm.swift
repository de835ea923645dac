#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

func naturalLogarithm(_ value: Double) -> Double { log(value) }
