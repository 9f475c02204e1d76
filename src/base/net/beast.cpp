// src/base/net/beast.cpp - compiles Beast's own code once for the whole program.
#include <boost/beast/src.hpp>
