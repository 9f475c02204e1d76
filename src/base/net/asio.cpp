// src/base/net/asio.cpp - compiles Asio's own code once for the whole program.
#include <boost/asio/impl/src.hpp>
#include <boost/asio/ssl/impl/src.hpp>
