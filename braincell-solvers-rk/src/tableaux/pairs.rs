//! Pairs: methods with embedded weights for an error estimate, and with a continuous extension.

// The decimals of `tsit54` have forty digits, more than a double holds, because its order conditions are checked on them.
#![allow(clippy::excessive_precision)]

use crate::exact::{decimal, int, ratio};
use crate::tableau::{Tableau, tableau};

/// Bogacki and Shampine's pair of orders three and two. The continuous extension is the cubic Hermite interpolant of
/// both ends, of order three.
pub static BS32: Tableau = tableau! {
    name: "bs32",
    aliases: [],
    order: 3,
    description: "Bogacki and Shampine's pair of orders three and two.",
    reference: "P. Bogacki and L. F. Shampine, Appl. Math. Lett. 2, 321-325, 1989, doi:10.1016/0893-9659(89)90079-7",
    fsal: true,
    a: [[], [ratio(1, 2)], [int(0), ratio(3, 4)], [ratio(2, 9), ratio(1, 3), ratio(4, 9)]],
    b: [ratio(2, 9), ratio(1, 3), ratio(4, 9), int(0)],
    c: [int(0), ratio(1, 2), ratio(3, 4), int(1)],
    embedded: 2, [ratio(7, 24), ratio(1, 4), ratio(1, 3), ratio(1, 8)],
    dense: 3, [
        [int(1), ratio(-4, 3), ratio(5, 9)],
        [int(0), int(1), ratio(-2, 3)],
        [int(0), ratio(4, 3), ratio(-8, 9)],
        [int(0), int(-1), int(1)],
    ],
};

/// Dormand and Prince's pair of orders five and four. The continuous extension, of order four, is the one of Shampine
/// (1986, doi:10.1090/S0025-5718-1986-0815836-3) given by Hairer, Nørsett and Wanner
/// (1993, doi:10.1007/978-3-540-78862-1), written out in powers of θ.
pub static DOPRI54: Tableau = tableau! {
    name: "dopri54",
    aliases: [],
    order: 5,
    description: "Dormand and Prince's pair of orders five and four.",
    reference: "J. R. Dormand and P. J. Prince, J. Comput. Appl. Math. 6, 19-26, 1980, doi:10.1016/0771-050X(80)90013-3",
    fsal: true,
    a: [
        [],
        [ratio(1, 5)],
        [ratio(3, 40), ratio(9, 40)],
        [ratio(44, 45), ratio(-56, 15), ratio(32, 9)],
        [ratio(19372, 6561), ratio(-25360, 2187), ratio(64448, 6561), ratio(-212, 729)],
        [ratio(9017, 3168), ratio(-355, 33), ratio(46732, 5247), ratio(49, 176), ratio(-5103, 18656)],
        [ratio(35, 384), int(0), ratio(500, 1113), ratio(125, 192), ratio(-2187, 6784), ratio(11, 84)],
    ],
    b: [ratio(35, 384), int(0), ratio(500, 1113), ratio(125, 192), ratio(-2187, 6784), ratio(11, 84), int(0)],
    c: [int(0), ratio(1, 5), ratio(3, 10), ratio(4, 5), ratio(8, 9), int(1), int(1)],
    embedded: 4, [
        ratio(5179, 57600),
        int(0),
        ratio(7571, 16695),
        ratio(393, 640),
        ratio(-92097, 339_200),
        ratio(187, 2100),
        ratio(1, 40),
    ],
    dense: 4, [
        [int(1), ratio(-8_048_581_381, 2_820_520_608), ratio(8_663_915_743, 2_820_520_608), ratio(-12_715_105_075, 11_282_082_432)],
        [int(0), int(0), int(0), int(0)],
        [int(0), ratio(131_558_114_200, 32_700_410_799), ratio(-68_118_460_800, 10_900_136_933), ratio(87_487_479_700, 32_700_410_799)],
        [int(0), ratio(-1_754_552_775, 470_086_768), ratio(14_199_869_525, 1_410_260_304), ratio(-10_690_763_975, 1_880_347_072)],
        [int(0), ratio(127_303_824_393, 49_829_197_408), ratio(-318_862_633_887, 49_829_197_408), ratio(701_980_252_875, 199_316_789_632)],
        [int(0), ratio(-282_668_133, 205_662_961), ratio(2_019_193_451, 616_988_883), ratio(-1_453_857_185, 822_651_844)],
        [int(0), ratio(40_617_522, 29_380_423), ratio(-110_615_467, 29_380_423), ratio(69_997_945, 29_380_423)],
    ],
};

/// Tsitouras' pair of orders five and four, with its continuous extension of order four.
///
/// Most coefficients are not rational and were published to about eighteen digits. The forty digits here extend the
/// published ones; they satisfy all order conditions, those of the continuous extension included, to the rounding of the
/// last digit. The extension is fixed by the order conditions and the published exact weights of the second and the last stage,
/// b₂(θ) = 0.1317θ² − 0.2234θ³ + 0.1017θ⁴ and b₇(θ) = 1.5θ² − 4θ³ + 2.5θ⁴.
pub static TSIT54: Tableau = tableau! {
    name: "tsit54",
    aliases: [],
    order: 5,
    description: "Tsitouras' pair of orders five and four.",
    reference: "Ch. Tsitouras, Comput. Math. Appl. 62, 770-775, 2011, doi:10.1016/j.camwa.2011.06.002",
    fsal: true,
    a: [
        [],
        [ratio(161, 1000)],
        [
            decimal!(-0.008480655492356988544426874250230774675121),
            decimal!(0.3354806554923569885444268742502307746751),
        ],
        [
            decimal!(2.897153057105493432130432594192938764925),
            decimal!(-6.359448489975074843148159912383825625953),
            decimal!(4.362295432869581411017727318190886861028),
        ],
        [
            decimal!(5.325864828439256604428877920840511317836),
            decimal!(-11.74888356406282787774717033978577296189),
            decimal!(7.495539342889836208304604784564358155659),
            decimal!(-0.0924950663617552492565020793320719161135),
        ],
        [
            decimal!(5.861455442946420028659251486982647890394),
            decimal!(-12.92096931784710929170611868178335939542),
            decimal!(8.159367898576158643180400794539253485182),
            decimal!(-0.07158497328140099722453054252582973869127),
            decimal!(-0.02826905039406838290900305721271224146718),
        ],
        [
            decimal!(0.09646076681806522951816731316512876333712),
            ratio(1, 100),
            decimal!(0.479889650414499574775249532290596519913),
            decimal!(1.379008574103741893192274821856872770756),
            decimal!(-3.290069515436080679901047585711363850116),
            decimal!(2.324710524099773982415355918398765796109),
        ],
    ],
    b: [
        decimal!(0.09646076681806522951816731316512876333712),
        ratio(1, 100),
        decimal!(0.479889650414499574775249532290596519913),
        decimal!(1.379008574103741893192274821856872770756),
        decimal!(-3.290069515436080679901047585711363850116),
        decimal!(2.324710524099773982415355918398765796109),
        int(0),
    ],
    c: [
        int(0),
        ratio(161, 1000),
        ratio(327, 1000),
        ratio(9, 10),
        decimal!(0.9800255409045096857298102862870245954942),
        int(1),
        int(1),
    ],
    embedded: 4, [
        decimal!(0.09468075576583945807478876255758922856118),
        decimal!(0.009183565540343253096776363936645313759814),
        decimal!(0.4877705284247615707855642599631228241517),
        decimal!(1.234297566930478985655109673884237654036),
        decimal!(-2.70771234998352545488110997505932167069),
        decimal!(1.866628418170587035753719399566211498666),
        ratio(1, 66),
    ],
    dense: 4, [
        [
            int(1),
            decimal!(-2.763706197274825868672988363027682259932),
            decimal!(2.913255461821912655418645978715879573212),
            decimal!(-1.053088497729021557227490302523068549943),
        ],
        [int(0), ratio(1317, 10000), ratio(-1117, 5000), ratio(1017, 10000)],
        [
            int(0),
            decimal!(3.930296236894751517409293669459985498088),
            decimal!(-5.941033872131504735717589209757584916523),
            decimal!(2.490627285651252793083545072588195938349),
        ],
        [
            int(0),
            decimal!(-12.41107716693367703873047339671185493681),
            decimal!(30.33818863028232165023004608085120095664),
            decimal!(-16.54810288924490271830729786228247324908),
        ],
        [
            int(0),
            decimal!(37.50931341651103917897843911106474125196),
            decimal!(-88.17890489476640107756106856497493790438),
            decimal!(47.37952196281928121868158186819883280231),
        ],
        [
            int(0),
            decimal!(-27.89652628919728778898427102078518955331),
            decimal!(65.09189467479367150762996571516544229105),
            decimal!(-34.87065786149660973623033877598148694164),
        ],
        [int(0), ratio(3, 2), int(-4), ratio(5, 2)],
    ],
};
